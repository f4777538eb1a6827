import Glibc

/// One step of DP-SGD, as its privacy sees it: each sample is in the batch with probability q, independently of the
/// others (Poisson sampling); the sum of the clipped gradients gets Gaussian noise of standard deviation σ times the
/// clipping norm.
///
/// Two data sets are neighbours if one has a sample more than the other ("add or remove one"). Only Poisson sampling
/// earns the guarantees of this module: batches cut from a shuffled epoch do not.
public struct SubsampledGaussian: Hashable, Sendable, CustomStringConvertible {
  /// q, from 0 to 1.
  public let sampleRate: Double
  /// σ: the noise's standard deviation divided by the clipping norm. 0 for no noise, and so for no privacy.
  public let noiseMultiplier: Double

  /// Throws if the rate is not from 0 to 1, or if the noise multiplier is negative or not finite.
  public init(sampleRate: Double, noiseMultiplier: Double) throws(PrivacyError) {
    guard sampleRate >= 0 && sampleRate <= 1 else {
      throw PrivacyError("sample rate \(sampleRate) is not from 0 to 1")
    }
    guard noiseMultiplier >= 0 && noiseMultiplier.isFinite else {
      throw PrivacyError("noise multiplier \(noiseMultiplier) is not a number of at least 0")
    }
    self.sampleRate = sampleRate
    self.noiseMultiplier = noiseMultiplier
  }

  /// The Rényi differential privacy of one step at `order` α, which must be above 1 and finite:
  ///
  ///     ln A(α) / (α − 1)     A(α) = E[((1 − q) + q·exp((2x − 1)/2σ²))^α], x ~ N(0, σ²)
  ///     α / 2σ²               if q is 1
  ///
  /// That of T steps is T times as much. 0 if q is 0; else infinite if σ is below 10⁻¹⁰⁰.
  ///
  /// Source: Mironov, Talwar, Zhang, "Rényi differential privacy of the sampled Gaussian mechanism", arXiv 1908.10530,
  /// § 3.3. The error is about 10⁻¹⁶/(α − 1), and at integer orders also about 10⁻¹⁵ of the value.
  public func renyiDivergence(order: Double) -> Double {
    precondition(order > 1 && order.isFinite, "a Rényi divergence of order \(order)")
    guard sampleRate > 0 else { return 0 }
    guard noiseMultiplier > 1e-100 else { return .infinity }
    // More noise than this hides no more in Doubles.
    let sigma = min(noiseMultiplier, Self.endlessNoise)
    if sampleRate == 1 { return order / (2 * sigma * sigma) }
    let moment =
      Int(exactly: order).map { logMoment(integerOrder: $0, sigma: sigma) }
      ?? logMoment(fractionalOrder: order, sigma: sigma)
    // Rounding can make a moment of almost nothing negative.
    return max(0, moment / (order - 1))
  }

  /// A noise multiplier that larger ones are taken for.
  static let endlessNoise = 1e100

  /// `sample rate 0.01, noise multiplier 1.1`.
  public var description: String { "sample rate \(sampleRate), noise multiplier \(noiseMultiplier)" }
}
