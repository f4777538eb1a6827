/// The expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 3): samples are put into bins of equal
/// width by the probability of the predicted class, and the distances between that probability and the accuracy, each bin's mean, are
/// averaged over the samples.
public struct CalibrationError: Metric {
  /// The number of bins.
  public let bins: Int

  /// By default the 15 bins of the paper.
  public init(bins: Int = 15) {
    precondition(bins > 0, "a calibration error of no bins")
    self.bins = bins
  }

  /// For each bin its samples, those predicted rightly, and the sum of the probabilities in fixed point.
  public var counterCount: Int { 3 * bins }

  public func count(_ predictions: Predictions, into counters: inout [Int]) {
    guard let samples = predictions.classes else { return }
    for (sample, own) in samples.own.enumerated() {
      let predicted = samples.predicted[sample]
      let probability = samples.probability(of: predicted, for: sample)
      // A network that gives no number is sure of nothing.
      let bin = probability.isNaN ? 0 : min(Int(probability * Double(bins)), bins - 1)
      counters[3 * bin] += 1
      if predicted == own { counters[3 * bin + 1] += 1 }
      counters[3 * bin + 2] &+= fixedPoint(probability)
    }
  }

  public func scores(_ counters: [Int]) -> [Score] {
    var (distance, samples) = (0.0, 0)
    for bin in 0..<bins where counters[3 * bin] > 0 {
      distance += abs(Double(counters[3 * bin + 1]) - real(counters[3 * bin + 2]))
      samples += counters[3 * bin]
    }
    return [Score("calibration_error", distance / Double(samples))]
  }
}
