import Kernels
import Tensors

/// Binary cross-entropy of a sigmoid over one logit z, the class `positive` against the rest:
/// `loss = softplus(z) − z · [label = positive]`, `∂loss/∂z = sigmoid(z) − [label = positive]`.
///
/// A sample is classified rightly if z > 0 and it is positive, or z ≤ 0 and it is not: Keras' threshold of 0.5.
public struct SigmoidCrossEntropy: ClassLoss {
  /// The label of the class that counts as 1.
  public let positive: Int
  public var outputs: Int { 1 }
  public var name: String { "binary:\(positive)" }
  /// Two classes: the rest, and the positive one.
  public var classes: Int { 2 }

  /// The loss for the class `positive` against the rest.
  public init(positive: Int) { self.positive = positive }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let logit = output[sample]
      let isPositive = Int(examples.labels[sample]) == positive
      sums.loss += Double(softplus(logit) - (isPositive ? logit : 0))
      if (logit > 0) == isPositive { sums.correct += 1 }
      gradient?[sample] = sigmoid(logit) - (isPositive ? 1 : 0)
    }
    return sums
  }

  public func classIndex(of label: Int32) -> Int { Int(label) == positive ? 1 : 0 }

  public func name(of classIndex: Int) -> String { classIndex == 1 ? "\(positive)" : "not \(positive)" }

  public func predictedClass(_ outputs: Buffer<Float>) -> Int { outputs[0] > 0 ? 1 : 0 }

  public func probabilities(_ outputs: Buffer<Float>, into probabilities: Buffer<Float>) {
    for sample in 0..<outputs.count {
      probabilities[2 * sample] = sigmoid(-outputs[sample])
      probabilities[2 * sample + 1] = sigmoid(outputs[sample])
    }
  }
}
