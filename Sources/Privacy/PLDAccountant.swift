import Glibc

/// The privacy of a run by its privacy loss distribution (PLD): the distribution of the loss of one step, on a fine grid,
/// convolved with itself once for each step. The (ε, δ) that it gives is true up to the grid, and smaller than that of
/// ``RDPAccountant``.
///
///     δ(ε) = E[max(0, 1 − exp(ε − loss))]
///
/// Sources: Meiser & Mohammadi 2018; Koskela et al. 2020, arXiv 1906.03049; the grid is that of Doroshenko et al. 2022,
/// arXiv 2207.04380, as in Google's `dp_accounting`.
///
/// Pessimistic: all that the grid and the cut tails leave open goes to the larger ε, so the true ε is at most the one
/// given, up to the rounding of Doubles. The grid is chosen so that it adds some 10⁻⁵ of ε, if 2²⁰ points are enough for
/// that. There are never more, which takes some 60 MB, and for each kind of step up to about half a second.
public struct PLDAccountant: Hashable, Sendable {
  /// The steps that were taken.
  public var ledger: PrivacyLedger

  /// An accountant of the steps in `ledger`.
  public init(_ ledger: PrivacyLedger = PrivacyLedger()) { self.ledger = ledger }

  /// The smallest ε at `delta`, the larger one of the two directions: a sample less, or a sample more.
  ///
  /// 0 if no step touched the data; infinite if a step had a noise multiplier below 10⁻⁶, or if `delta` is below
  /// 4·10⁻³³ times the steps. Throws if `delta` is not between 0 and 1.
  public func epsilon(delta: Double) throws(PrivacyError) -> Double {
    max(try epsilon(delta: delta, .removing), try epsilon(delta: delta, .adding))
  }

  /// The smallest ε at `delta` in one direction.
  package func epsilon(delta: Double, _ direction: PrivacyLoss.Direction) throws(PrivacyError) -> Double {
    try PrivacyError.check(delta: delta)
    let entries = ledger.entries.filter { $0.mechanism.sampleRate > 0 }
    if entries.contains(where: { $0.mechanism.noiseMultiplier < 1e-6 }) { return .infinity }
    guard !entries.isEmpty else { return 0 }
    return ComposedLoss(Self.losses(of: entries, direction), delta: delta)?.epsilon(delta: delta) ?? 0
  }

  /// μ = 1/σ.
  private static func shift(_ mechanism: SubsampledGaussian) -> Double {
    1 / min(mechanism.noiseMultiplier, SubsampledGaussian.endlessNoise)
  }

  /// The kinds of steps. Those without sampling are one Gaussian together, whose μ² is the sum of all 1/σ².
  private static func losses(
    of entries: [PrivacyLedger.Entry], _ direction: PrivacyLoss.Direction
  ) -> [(loss: PrivacyLoss, steps: Int)] {
    var steps: [SubsampledGaussian: Int] = [:]
    var losses: [(loss: PrivacyLoss, steps: Int)] = []
    var squaredShift = 0.0
    for entry in entries {
      if entry.mechanism.sampleRate == 1 {
        let shift = shift(entry.mechanism)
        squaredShift += Double(entry.steps) * shift * shift
      } else {
        steps[entry.mechanism, default: 0] += entry.steps
      }
    }
    if squaredShift > 0 {
      losses.append((PrivacyLoss(sampleRate: 1, shift: squaredShift.squareRoot(), direction: direction), 1))
    }
    for entry in entries {
      guard let steps = steps.removeValue(forKey: entry.mechanism) else { continue }
      let loss = PrivacyLoss(
        sampleRate: entry.mechanism.sampleRate, shift: shift(entry.mechanism), direction: direction)
      losses.append((loss, steps))
    }
    return losses
  }
}
