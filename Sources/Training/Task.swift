import NeuralNetworks

/// What a network is trained to tell apart: `--task`.
public enum Task: Sendable, Hashable, CustomStringConvertible {
  /// Every class from every other: softmax and cross-entropy.
  case classify
  /// One class from the rest: a single sigmoid and binary cross-entropy.
  case binary(positive: UInt8)

  /// Reads `classify` or `binary:K`; nil for anything else.
  public init?(_ text: String) {
    if text == "classify" {
      self = .classify
    } else if text.hasPrefix("binary:"), let positive = UInt8(text.dropFirst("binary:".count)) {
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

  /// The loss over data of `classes` classes. Throws where the task asks for a class that the data has not.
  func loss(classes: Int) throws(ModelError) -> any Loss {
    switch self {
    case .classify: return SoftmaxCrossEntropy(classes: classes)
    case .binary(let positive):
      guard positive < classes else {
        throw ModelError("--task \(self) names a class that the data has not: it has 0 to \(classes - 1)")
      }
      return SigmoidCrossEntropy(positive: positive)
    }
  }
}
