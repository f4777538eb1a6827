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
  public var settings: [(key: String, value: String)] { weighting?.settings ?? [] }
  /// Two classes: the rest, and the positive one.
  public var classes: Int { 2 }
  /// The weights of the rest and of the positive class, and label smoothing: as of a softmax over the logits 0 and z. nil
  /// if there are none.
  public let weighting: ClassWeighting?

  private let names: [String]?

  /// The loss for the class `positive` against the rest. `names` are those of the rest and of the class, if labels do
  /// not say it.
  public init(positive: Int, names: [String]? = nil, weighting: ClassWeighting? = nil) {
    precondition(weighting?.weights.map { $0.count == 2 } ?? true, "a weight for each of two classes")
    precondition(names.map { $0.count == 2 } ?? true, "a name for each of two classes")
    self.positive = positive
    self.names = names
    self.weighting = weighting
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let logit = output[sample]
      let isPositive = Int(examples.labels[sample]) == positive
      if (logit > 0) == isPositive { sums.correct += 1 }
      if let weighting {
        let own = isPositive ? 1 : 0
        // −log of the positive class's probability is softplus(−z), that of the rest's softplus(z).
        let (rest, positive) = (weighting.factor(0, own: own, of: 2), weighting.factor(1, own: own, of: 2))
        sums.loss += Double(rest * softplus(logit) + positive * softplus(-logit))
        gradient?[sample] = rest * sigmoid(logit) - positive * sigmoid(-logit)
      } else {
        sums.loss += Double(softplus(logit) - (isPositive ? logit : 0))
        gradient?[sample] = sigmoid(logit) - (isPositive ? 1 : 0)
      }
    }
    return sums
  }

  public func classIndex(of label: Int32) -> Int { Int(label) == positive ? 1 : 0 }

  public func name(of classIndex: Int) -> String {
    names?[classIndex] ?? (classIndex == 1 ? "\(positive)" : "not \(positive)")
  }

  public func predictedClass(_ outputs: Buffer<Float>) -> Int { outputs[0] > 0 ? 1 : 0 }

  public func probabilities(_ outputs: Buffer<Float>, into probabilities: Buffer<Float>) {
    for sample in 0..<outputs.count {
      probabilities[2 * sample] = sigmoid(-outputs[sample])
      probabilities[2 * sample + 1] = sigmoid(outputs[sample])
    }
  }
}
