/// The privacy that the weights of a run have cost so far.
public struct PrivacySpent: Hashable, Sendable, Codable {
  /// ε at ``delta``, by the run's conversion.
  public let epsilon: Double
  /// δ.
  public let delta: Double
  /// The name of the conversion from Rényi differential privacy: `classic` or `improved`.
  public let conversion: String
  /// The noise's standard deviation, in units of the clipping norm.
  public let noiseMultiplier: Double
  /// The probability with which a sample is in a step's batch.
  public let sampleRate: Double
  /// The steps that it was spent in, with those of the run that the weights began with.
  public let steps: Int
  /// Whether noise and choice hide from someone who knows the run's seed (``PrivateTraining/isRepeatable``).
  public let isSecret: Bool

  enum CodingKeys: String, CodingKey {
    case epsilon, delta, conversion, steps
    case noiseMultiplier = "noise_multiplier"
    case sampleRate = "sample_rate"
    case isSecret = "secret"
  }

  package init(
    epsilon: Double, delta: Double, conversion: String, noiseMultiplier: Double, sampleRate: Double, steps: Int,
    isSecret: Bool
  ) {
    self.epsilon = epsilon
    self.delta = delta
    self.conversion = conversion
    self.noiseMultiplier = noiseMultiplier
    self.sampleRate = sampleRate
    self.steps = steps
    self.isSecret = isSecret
  }
}
