import Datasets
import Glibc
import NeuralNetworks
import Tensors

/// The temperature by which a network's outputs are divided so that its probabilities are as likely as they can be: temperature scaling
/// (Guo et al. 2017, "On Calibration of Modern Neural Networks", § 4.2). It changes no prediction, only how sure the network is of it.
public enum TemperatureScaling {
  /// The temperatures that are searched: e⁻³ to e³.
  private static let range = -3.0...3.0

  /// The temperature with the least log-loss, to four digits or so, for `outputs` [samples, outputs] and the samples' classes, from 0.
  public static func temperature(of outputs: Buffer<Float>, classes: [Int], loss: any ClassLoss) -> Double {
    let (scaled, probabilities) = (
      Buffer<Float>(count: outputs.count), Buffer<Float>(count: classes.count * loss.classes)
    )
    func logLoss(_ logarithm: Double) -> Double {
      let factor = Float(exp(-logarithm))
      for index in 0..<outputs.count { scaled[index] = outputs[index] * factor }
      loss.probabilities(scaled, into: probabilities)
      // A probability of 0 would be of no temperature.
      return classes.enumerated().reduce(0) {
        $0 - log(Double(max(probabilities[$1.offset * loss.classes + $1.element], .leastNormalMagnitude)))
      }
    }
    // The log-loss has one valley: golden-section search.
    let ratio = (sqrt(5) - 1) / 2
    var (low, high) = (range.lowerBound, range.upperBound)
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (leftLoss, rightLoss) = (logLoss(left), logLoss(right))
    while high - low > 1e-4 {
      if leftLoss < rightLoss {
        (high, right, rightLoss) = (right, left, leftLoss)
        left = high - ratio * (high - low)
        leftLoss = logLoss(left)
      } else {
        (low, left, leftLoss) = (left, right, rightLoss)
        right = low + ratio * (high - low)
        rightLoss = logLoss(right)
      }
    }
    return exp((low + high) / 2)
  }
}

extension Evaluation {
  /// The temperature that makes the network's probabilities with the weights `parameters` the likeliest on this evaluation's data; nil if its
  /// loss is over no classes. One rank finds it alone.
  public func temperature(_ parameters: Buffer<Float>) -> Double? {
    guard let loss = network.loss as? any ClassLoss else { return nil }
    let all = Buffer<Float>(count: data.count * loss.outputs)
    var classes: [Int] = []
    forEachSlice(parameters) { samples, examples, outputs in
      all[samples.lowerBound * loss.outputs..<samples.upperBound * loss.outputs].copy(from: outputs)
      classes += (0..<samples.count).map { loss.classIndex(of: examples.labels[$0]) }
    }
    return TemperatureScaling.temperature(of: all, classes: classes, loss: loss)
  }
}
