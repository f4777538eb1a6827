import Training

/// What one training run with canaries shows of its privacy.
public struct CanaryReport: Sendable, Encodable {
  /// The model's name.
  public let model: String
  /// What the canaries are.
  public let kind: CanaryData.Kind
  /// The canaries.
  public let canaries: Int
  /// Those that were trained on.
  public let included: Int
  /// All samples that were trained on.
  public let samples: Int
  /// The guesses of the best bound.
  public let guesses: Int
  /// The right ones among them.
  public let correct: Int
  /// The ε that training cannot have kept to, with ``confidence``, at ``delta``; 0 if the guesses show none.
  public let epsilonLowerBound: Double
  /// δ.
  public let delta: Double
  /// The part of cases in which the bound holds.
  public let confidence: Double
  /// How well the scores tell canaries that were trained on from the others: the area under the curve.
  public let auc: Double
  /// Its interval.
  public let aucInterval: ClosedRange<Double>
  /// The accuracy on the test data.
  public let testAccuracy: Double?
  /// The accountant's word for the same run; nil if it was not private.
  public let privacy: PrivacySpent?

  /// Whether the bound is above the accountant's ε: then the training, its noise or the account is wrong.
  public var isAboveAccount: Bool { privacy.map { epsilonLowerBound > $0.epsilon } ?? false }

  enum CodingKeys: String, CodingKey {
    case model, kind, canaries, included, samples, guesses, correct, delta, confidence, auc, privacy
    case epsilonLowerBound = "epsilon_lower_bound"
    case aucInterval = "auc_interval"
    case testAccuracy = "test_accuracy"
  }
}
