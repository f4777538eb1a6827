import NeuralNetworks
import Tensors

/// The class of each sample, the predicted class, and the probability of every class.
public struct ClassPredictions {
  /// The number of classes.
  public let count: Int
  /// The class of each sample, from 0.
  public let own: [Int]
  /// The predicted class of each sample, from 0.
  public let predicted: [Int]
  /// The probability of every class for each sample, [samples, ``count``].
  public let probabilities: Buffer<Float>

  init(_ outputs: Buffer<Float>, _ examples: Examples, _ loss: any ClassLoss) {
    let samples = 0..<examples.samples
    count = loss.classes
    own = samples.map { loss.classIndex(of: examples.labels[$0]) }
    predicted = samples.map { loss.predictedClass(outputs[$0 * loss.outputs..<($0 + 1) * loss.outputs]) }
    probabilities = Buffer(count: examples.samples * loss.classes)
    loss.probabilities(outputs, into: probabilities)
  }

  /// The probability of class `index` for `sample`.
  public func probability(of index: Int, for sample: Int) -> Double { Double(probabilities[sample * count + index]) }
}
