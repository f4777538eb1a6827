import Glibc

/// The mean of −log p in nats, where p is the predicted probability of the sample's own class. A p of 0 counts as
/// 2⁻¹⁴⁹, the smallest float.
public struct LogLoss: Metric {
  /// The log-loss.
  public init() {}

  /// Two counters: the samples, and the sum of their losses in fixed point.
  public var counterCount: Int { 2 }

  public func count(_ predictions: Predictions, into counters: inout [Int]) {
    guard let samples = predictions.classes else { return }
    for (sample, own) in samples.own.enumerated() {
      let probability = samples.probability(of: own, for: sample)
      counters[0] += 1
      counters[1] &+= fixedPoint(-log(max(probability, Double(Float.leastNonzeroMagnitude))))
    }
  }

  public func scores(_ counters: [Int]) -> [Score] {
    [Score("log_loss", real(counters[1]) / Double(counters[0]))]
  }
}
