import Glibc

/// The privacy loss of one step of a ``SubsampledGaussian`` in one direction, as a function of the outcome t, in units of
/// the noise's standard deviation. With μ = 1/σ and
///
///     ℓ(t) = ln(1 − q + q·exp(μt − μ²/2))
///
/// the mixture (1 − q)·N(0, 1) + q·N(μ, 1) has a density exp(ℓ(t)) times that of N(0, 1).
///
/// Source: Doroshenko et al. 2022, arXiv 2207.04380, and Google's `dp_accounting`, whose sign of t is the other one.
package struct PrivacyLoss {
  /// Which of two neighbouring data sets is the real one: the other lacks a sample, or has one more.
  package enum Direction {
    /// Outcomes from the mixture; the loss is ℓ(t).
    case removing
    /// Outcomes from N(0, 1); the loss is −ℓ(t).
    case adding
  }

  /// q, above 0.
  let sampleRate: Double
  /// μ, above 0.
  let shift: Double
  let direction: Direction

  /// The outcomes beyond this distance from their Gaussian's centre are left out.
  static let reach = 12.0
  /// The probability of those outcomes, at most: 4·10⁻³³. Their loss is taken as infinite.
  static let leftOut = erfc(reach / 2.0.squareRoot())

  /// ℓ(t), which rises with t.
  func ratio(at t: Double) -> Double {
    let y = shift * t - shift * shift / 2
    if sampleRate == 1 { return y }
    return y < 500 ? log1p(sampleRate * expm1(y)) : y + log(sampleRate)
  }

  /// The t with ℓ(t) = `ratio`; −∞ if ℓ is larger everywhere.
  func outcome(ofRatio ratio: Double) -> Double {
    (exponent(ofRatio: ratio) + shift * shift / 2) / shift
  }

  private func exponent(ofRatio ratio: Double) -> Double {
    if sampleRate == 1 { return ratio }
    if ratio > 500 { return ratio - log(sampleRate) }
    let growth = expm1(ratio) / sampleRate
    return growth > -1 ? log1p(growth) : -.infinity
  }

  /// The logarithm of the outcomes' density at t, where ℓ(t) is `ratio`.
  func logDensity(at t: Double, ratio: Double) -> Double {
    -t * t / 2 - logOfRoot2Pi + (direction == .removing ? ratio : 0)
  }

  /// The loss where ℓ is `ratio`.
  func loss(ofRatio ratio: Double) -> Double { direction == .removing ? ratio : -ratio }

  /// The outcomes that are not left out.
  var outcomes: [ClosedRange<Double>] {
    let (own, shifted) = (-Self.reach...Self.reach, shift - Self.reach...shift + Self.reach)
    if direction == .adding { return [own] }
    if sampleRate == 1 { return [shifted] }
    return shifted.lowerBound > own.upperBound ? [own, shifted] : [own.lowerBound...shifted.upperBound]
  }

  /// The difference of the largest and the least loss of the outcomes.
  var extent: Double {
    outcomes.reduce(0) { $0 + ratio(at: $1.upperBound) - ratio(at: $1.lowerBound) }
  }

  /// A width in which density and loss change little: a tenth of a deviation, and less if the loss bends sharply.
  var panelWidth: Double { sampleRate == 1 ? 0.1 : max(min(0.1, 0.5 / shift), 0x1p-16) }
}

private let logOfRoot2Pi = log(2 * Double.pi) / 2
