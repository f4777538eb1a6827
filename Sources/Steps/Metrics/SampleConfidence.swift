import NeuralNetworks
import Tensors

/// How sure a network is of a sample's own class.
public struct SampleConfidence: Hashable, Sendable, Codable {
  /// φ = log(p / (1 − p)), by which p is the probability that the network gives to the class: the logit-scaled confidence of Carlini et al.
  /// 2022. The cross-entropy is log(1 + e^−φ), so the two order samples alike, but φ tells those apart whose p rounds to 1. Not finite if the
  /// network's outputs are not.
  public var logit: Double
  /// Whether the class is the network's first choice.
  public var isCorrect: Bool

  /// A confidence of these figures.
  public init(logit: Double, isCorrect: Bool) { (self.logit, self.isCorrect) = (logit, isCorrect) }

  /// The confidence of one sample of class `own`, from 0, by its outputs.
  package init(_ outputs: Buffer<Float>, own: Int, _ loss: any ClassLoss) {
    isCorrect = loss.predictedClass(outputs) == own
    switch loss {
    case is SigmoidCrossEntropy: logit = Double(own == 1 ? outputs[0] : -outputs[0])
    case is SoftmaxCrossEntropy: logit = Self.margin(outputs.array, own)
    default:
      let probabilities = Buffer<Float>(count: loss.classes)
      loss.probabilities(outputs, into: probabilities)
      let own = Double(probabilities[own])
      logit = own > 0 && own < 1 ? portableLog(own) - portableLog(1 - own) : own > 0 ? .infinity : -.infinity
    }
  }

  /// z[own] − log Σ exp(z[j]) over the other classes j: log(p / (1 − p)) of a softmax, without a difference of numbers near 1.
  private static func margin(_ logits: [Float], _ own: Int) -> Double {
    guard logits.allSatisfy(\.isFinite) else { return .nan }
    var largest = -Double.infinity
    for (index, value) in logits.enumerated() where index != own { largest = max(largest, Double(value)) }
    // Of a single class all are sure.
    guard largest > -.infinity else { return .infinity }
    var sum = 0.0
    for (index, value) in logits.enumerated() where index != own { sum += portableExp(Double(value) - largest) }
    return Double(logits[own]) - largest - portableLog(sum)
  }
}

extension [SampleConfidence] {
  /// As words to send, two a sample.
  package var words: [UInt64] { flatMap { [$0.logit.bitPattern, $0.isCorrect ? 1 : 0] } }

  /// Reads ``words``.
  package init(words: ArraySlice<UInt64>) {
    self = stride(from: words.startIndex, to: words.endIndex - 1, by: 2).map {
      SampleConfidence(logit: Double(bitPattern: words[$0]), isCorrect: words[$0 + 1] == 1)
    }
  }
}
