/// The expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 3).
///
/// Samples are put into bins of equal width by the probability of the predicted class. The error is the mean over the
/// samples of the distance between their bin's mean probability and its accuracy.
public struct CalibrationError: Metric {
  /// The number of bins.
  public let bins: Int

  /// An error over `bins` bins, 1 or more; by default the paper's 15.
  public init(bins: Int = 15) {
    precondition(bins > 0, "a calibration error of no bins")
    self.bins = bins
  }

  /// Three counters a bin: its samples, those predicted rightly, and the sum of the probabilities in fixed point.
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

  /// The bins, those of the smallest probabilities first, from the metric's counters.
  public func reliability(_ counters: [Int]) -> [ReliabilityBin] {
    (0..<bins).map { bin in
      let samples = counters[3 * bin]
      guard samples > 0 else { return ReliabilityBin(samples: 0, accuracy: 0, confidence: 0) }
      return ReliabilityBin(
        samples: samples, accuracy: Double(counters[3 * bin + 1]) / Double(samples),
        confidence: real(counters[3 * bin + 2]) / Double(samples))
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
