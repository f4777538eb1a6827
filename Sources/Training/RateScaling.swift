/// The rule by which the learning rate grows with the global batch: `--scale-learning-rate`.
///
/// The factor is 1 for a batch of ``usualBatch``, the article's. A warm-up eases the start of large batches (Goyal et
/// al. 2017, § 2.2).
public enum RateScaling: String, Sendable, CaseIterable {
  /// √(batch / 32), as the gradient's noise falls (Krizhevsky 2014, § 5; Hoffer et al. 2017, § 4): for Adam and LAMB.
  case sqrt
  /// batch / 32 (Goyal et al. 2017, § 2.1): for SGD.
  case linear

  /// The batch for which a learning rate stays as it is given.
  public static let usualBatch = 32

  /// The factor of the learning rate for a batch of `globalBatch` samples.
  public func factor(globalBatch: Int) -> Double {
    let ratio = Double(globalBatch) / Double(Self.usualBatch)
    return switch self {
    case .sqrt: ratio.squareRoot()
    case .linear: ratio
    }
  }
}
