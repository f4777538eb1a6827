import Datasets
import NeuralNetworks
import Tensors

/// The task that a network is trained for: `--task`.
public enum Objective: Sendable, Hashable, CustomStringConvertible {
  /// Telling every class from every other: softmax and cross-entropy.
  case classify
  /// Telling the class of one label from the rest: a single sigmoid and binary cross-entropy.
  case binary(positive: Int)
  /// Predicting the sample's real numbers: mean squared error.
  case regress
  /// Predicting each pixel of the sample itself, one of a few values: softmax and cross-entropy a pixel.
  case pixelsBySoftmax
  /// Predicting each pixel of the sample itself, 0 or 1: sigmoid and binary cross-entropy a pixel.
  case pixelsBySigmoid

  /// Reads `classify`, `binary:K`, `regress`, `pixels:softmax` or `pixels:sigmoid`; nil for anything else.
  public init?(_ text: String) {
    if text == "classify" {
      self = .classify
    } else if text == "regress" {
      self = .regress
    } else if text == "pixels:softmax" {
      self = .pixelsBySoftmax
    } else if text == "pixels:sigmoid" {
      self = .pixelsBySigmoid
    } else if text.hasPrefix("binary:"), let positive = Int(text.dropFirst("binary:".count)) {
      self = .binary(positive: positive)
    } else {
      return nil
    }
  }

  /// The text that ``init(_:)`` reads.
  public var description: String {
    switch self {
    case .classify: "classify"
    case .regress: "regress"
    case .binary(let positive): "binary:\(positive)"
    case .pixelsBySoftmax: "pixels:softmax"
    case .pixelsBySigmoid: "pixels:sigmoid"
    }
  }

  /// The loss over both parts of the data. Throws ``TrainingError``: with 65 if a part is faulty or the parts do not
  /// fit together, with 64 if the objective asks for other targets.
  public func loss(over training: any Dataset, _ test: any Dataset) throws -> any Loss {
    do { return try loss(Targets(validating: training, test)) } catch { throw TrainingError(error) }
  }

  /// The loss over data with `targets`, those of all parts. Throws ``ModelError`` if the objective asks for other
  /// targets, or for a class that the data does not have.
  func loss(_ targets: Targets) throws -> any Loss {
    switch (self, targets) {
    case (.classify, .classes(let classes)):
      return SoftmaxCrossEntropy(classes: classes.count, firstLabel: classes.firstLabel)
    case (.binary(let positive), .classes(let classes)):
      guard classes.contains(positive) else {
        throw ModelError("\(Setting.task) \(self) names a class that the data has not: its labels are \(classes)")
      }
      return SigmoidCrossEntropy(positive: positive)
    case (.pixelsBySoftmax, .input(let count)): return PixelSoftmaxCrossEntropy(pixels: count)
    case (.pixelsBySigmoid, .input(let count)): return PixelSigmoidCrossEntropy(pixels: count)
    case (.regress, .values(let count)), (.regress, .input(let count)): return MeanSquaredError(outputs: count)
    default:
      throw ModelError("\(Setting.task) \(self) does not fit the data, whose targets are \(targets)")
    }
  }
}
