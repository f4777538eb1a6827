import Kernels
import Tensors

/// Cross-entropy of a softmax over logits z: `loss = log Σⱼ exp(zⱼ) − z[class]`,
/// `∂loss/∂zⱼ = softmax(z)ⱼ − [j = class]`. A sample's class is its label minus the first label of the data.
///
/// A sample is classified rightly if its class's logit is the largest (the first of equals).
public struct SoftmaxCrossEntropy: ClassLoss {
  public let outputs: Int
  public var name: String { "classify" }

  private let firstLabel: Int

  /// The loss over `classes` classes, 1 or more; labels must be in `firstLabel ..< firstLabel + classes`.
  public init(classes: Int, firstLabel: Int = 0) {
    outputs = classes
    self.firstLabel = firstLabel
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let logits = output[sample * outputs..<(sample + 1) * outputs]
      let own = classIndex(of: examples.labels[sample])
      sums.loss += Double(logSumExp(logits) - logits[own])
      if predictedClass(logits) == own { sums.correct += 1 }
    }
    if let gradient {
      softmax(output, into: gradient, classes: outputs)
      for sample in 0..<examples.samples {
        gradient[sample * outputs + classIndex(of: examples.labels[sample])] -= 1
      }
    }
    return sums
  }

  public var classes: Int { outputs }

  public func classIndex(of label: Int32) -> Int { Int(label) - firstLabel }

  public func name(of classIndex: Int) -> String { "\(firstLabel + classIndex)" }

  public func predictedClass(_ outputs: Buffer<Float>) -> Int {
    var best = 0
    for j in 1..<outputs.count where outputs[j] > outputs[best] { best = j }
    return best
  }

  public func probabilities(_ outputs: Buffer<Float>, into probabilities: Buffer<Float>) {
    softmax(outputs, into: probabilities, classes: classes)
  }
}
