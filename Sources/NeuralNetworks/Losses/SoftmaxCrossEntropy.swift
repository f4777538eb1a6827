import Kernels
import Tensors

/// Cross-entropy of a softmax over logits z: `loss = log Σⱼ exp(zⱼ) − z[class]`,
/// `∂loss/∂zⱼ = softmax(z)ⱼ − [j = class]`. A sample's class is its label minus the first label of the data.
///
/// A sample is classified rightly if its class's logit is the largest (the first of equals).
public struct SoftmaxCrossEntropy: ClassLoss {
  public let outputs: Int
  public var name: String { "classify" }
  public var settings: [(key: String, value: String)] { weighting?.settings ?? [] }
  /// The weights of the classes, and label smoothing; nil if there are none.
  public let weighting: ClassWeighting?

  private let firstLabel: Int
  private let names: [String]?

  /// The loss over `classes` classes, 1 or more; labels must be in `firstLabel ..< firstLabel + classes`. `names` are
  /// what the classes stand for, if their labels do not say it.
  public init(classes: Int, firstLabel: Int = 0, names: [String]? = nil, weighting: ClassWeighting? = nil) {
    precondition(weighting?.weights.map { $0.count == classes } ?? true, "a weight for each of \(classes) classes")
    precondition(names.map { $0.count == classes } ?? true, "a name for each of \(classes) classes")
    outputs = classes
    self.firstLabel = firstLabel
    self.names = names
    self.weighting = weighting
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let logits = output[sample * outputs..<(sample + 1) * outputs]
      let own = classIndex(of: examples.labels[sample])
      let normaliser = logSumExp(logits)
      if let weighting {
        for j in 0..<outputs {
          sums.loss += Double(weighting.factor(j, own: own, of: outputs) * (normaliser - logits[j]))
        }
      } else {
        sums.loss += Double(normaliser - logits[own])
      }
      if predictedClass(logits) == own { sums.correct += 1 }
    }
    if let gradient {
      softmax(output, into: gradient, classes: outputs)
      for sample in 0..<examples.samples {
        let own = classIndex(of: examples.labels[sample])
        guard let weighting else {
          gradient[sample * outputs + own] -= 1
          continue
        }
        let whole = weighting.factorSum(own: own, of: outputs)
        for j in 0..<outputs {
          let index = sample * outputs + j
          gradient[index] = whole * gradient[index] - weighting.factor(j, own: own, of: outputs)
        }
      }
    }
    return sums
  }

  public var classes: Int { outputs }

  public func classIndex(of label: Int32) -> Int { Int(label) - firstLabel }

  public func name(of classIndex: Int) -> String { names?[classIndex] ?? "\(firstLabel + classIndex)" }

  public func predictedClass(_ outputs: Buffer<Float>) -> Int {
    var best = 0
    for j in 1..<outputs.count where outputs[j] > outputs[best] { best = j }
    return best
  }

  public func probabilities(_ outputs: Buffer<Float>, into probabilities: Buffer<Float>) {
    softmax(outputs, into: probabilities, classes: classes)
  }
}
