import Kernels
import Tensors

/// Cross-entropy of a softmax over logits z: `loss = log Σⱼ exp(zⱼ) − z[label]`, `∂loss/∂zⱼ = softmax(z)ⱼ − [j = label]`.
///
/// A sample is classified rightly where its label's logit is the largest (the first of equals).
public struct SoftmaxCrossEntropy: Loss {
  public let outputs: Int

  /// For `classes` classes, 2 or more; labels must be below.
  public init(classes: Int) { outputs = classes }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let logits = output[sample * outputs..<(sample + 1) * outputs]
      let label = Int(examples.labels[sample])
      sums.loss += Double(logSumExp(logits) - logits[label])
      if indexOfLargest(logits) == label { sums.correct += 1 }
    }
    if let gradient {
      softmax(output, into: gradient, classes: outputs)
      for sample in 0..<examples.samples {
        gradient[sample * outputs + Int(examples.labels[sample])] -= 1
      }
    }
    return sums
  }

  private func indexOfLargest(_ values: Buffer<Float>) -> Int {
    var best = 0
    for j in 1..<values.count where values[j] > values[best] { best = j }
    return best
  }
}
