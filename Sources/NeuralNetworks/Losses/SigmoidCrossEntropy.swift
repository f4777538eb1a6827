import Kernels
import Tensors

/// Binary cross-entropy of a sigmoid over one logit z, the class `positive` against the rest:
/// `loss = softplus(z) − z · [label = positive]`, `∂loss/∂z = sigmoid(z) − [label = positive]`.
///
/// A sample is classified rightly where z > 0 and it is positive, or z ≤ 0 and it is not: Keras' threshold of 0.5.
public struct SigmoidCrossEntropy: Loss {
  /// The label of the class that counts as 1.
  public let positive: Int
  public var outputs: Int { 1 }

  /// One class against the rest.
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
}
