import Glibc

/// The mean of −log of the probability that the sample's own class is given, in nats; a probability of 0 counts as 2⁻¹⁴⁹, the smallest.
public struct LogLoss: Metric {
  /// The log-loss.
  public init() {}

  /// The samples, and the sum of their losses in fixed point.
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
