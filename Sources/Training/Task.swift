import Datasets
import NeuralNetworks

/// What a network is trained to tell apart: `--task`.
public enum Task: Sendable, Hashable, CustomStringConvertible {
  /// Every class from every other: softmax and cross-entropy.
  case classify
  /// The class of one label from the rest: a single sigmoid and binary cross-entropy.
  case binary(positive: Int)

  /// Reads `classify` or `binary:K`; nil for anything else.
  public init?(_ text: String) {
    if text == "classify" {
      self = .classify
    } else if text.hasPrefix("binary:"), let positive = Int(text.dropFirst("binary:".count)) {
      self = .binary(positive: positive)
    } else {
      return nil
    }
  }

  /// As ``init(_:)`` reads it.
  public var description: String {
    switch self {
    case .classify: "classify"
    case .binary(let positive): "binary:\(positive)"
    }
  }

  /// The loss over data of `classes`. Throws where the task asks for a class that the data has not.
  func loss(_ classes: Classes) throws(ModelError) -> any Loss {
    switch self {
    case .classify: return SoftmaxCrossEntropy(classes: classes.count, firstLabel: classes.firstLabel)
    case .binary(let positive):
      guard classes.contains(positive) else {
        throw ModelError("--task \(self) names a class that the data has not: its labels are \(classes)")
      }
      return SigmoidCrossEntropy(positive: positive)
    }
  }
}
