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
  /// Predicting the hidden pixels of the sample itself from the others: mean squared error over these.
  case hiddenPixels

  /// Reads `classify`, `binary:K`, `regress`, `pixels:softmax`, `pixels:sigmoid` or `pixels:hidden`; nil for anything else.
  public init?(_ text: String) {
    if text == "classify" {
      self = .classify
    } else if text == "regress" {
      self = .regress
    } else if let kind = PixelTask.Kind(rawValue: text) {
      self.init(kind)
    } else if text.hasPrefix("binary:"), let positive = Int(text.dropFirst("binary:".count)) {
      self = .binary(positive: positive)
    } else {
      return nil
    }
  }

  /// The objective of a model that predicts pixels.
  public init(_ kind: PixelTask.Kind) {
    switch kind {
    case .softmax: self = .pixelsBySoftmax
    case .sigmoid: self = .pixelsBySigmoid
    case .hidden: self = .hiddenPixels
    }
  }

  /// The text that ``init(_:)`` reads.
  public var description: String {
    switch self {
    case .classify: "classify"
    case .regress: "regress"
    case .binary(let positive): "binary:\(positive)"
    case .pixelsBySoftmax: PixelTask.Kind.softmax.rawValue
    case .pixelsBySigmoid: PixelTask.Kind.sigmoid.rawValue
    case .hiddenPixels: PixelTask.Kind.hidden.rawValue
    }
  }

  /// The loss over both parts of the data. Throws ``TrainingError``: with 65 if a part is faulty or the parts do not
  /// fit together, with 64 if the objective asks for other targets, or if weights or smoothing do not fit it.
  ///
  /// - Parameters:
  ///   - classWeights: the weights of the classes; nil if all are 1.
  ///   - labelSmoothing: the part of a sample's target that is spread over all classes (``ClassWeighting``).
  public func loss(
    over training: any Dataset, _ test: any Dataset, classWeights: ClassWeights? = nil, labelSmoothing: Float = 0
  ) throws -> any Loss {
    do {
      let targets = try Targets(validating: training, test)
      let plain = try loss(targets, input: training.inputShape, classNames: training.classNames)
      guard classWeights != nil || labelSmoothing != 0 else { return plain }
      let setting = classWeights == nil ? Setting.labelSmoothing : .classWeights
      guard let plain = plain as? any ClassLoss else {
        throw ModelError("\(setting) needs classes, and \(Setting.task) \(self) has none")
      }
      let weights = classWeights?.weights(of: training, over: plain)
      return try loss(
        targets, input: training.inputShape, classNames: training.classNames,
        ClassWeighting(weights: weights, smoothing: labelSmoothing, classes: plain.classes))
    } catch {
      throw TrainingError(error)
    }
  }

  /// The loss over data with inputs of shape `input` and `targets`, those of all parts. Throws ``ModelError`` if the objective asks for other
  /// targets, or for a class that the data does not have.
  func loss(
    _ targets: Targets, input: Shape, classNames names: [String]? = nil, _ weighting: ClassWeighting? = nil
  ) throws -> any Loss {
    switch (self, targets) {
    case (.classify, .classes(let classes)):
      return SoftmaxCrossEntropy(
        classes: classes.count, firstLabel: classes.firstLabel, names: names?.count == classes.count ? names : nil,
        weighting: weighting)
    case (.binary(let positive), .classes(let classes)):
      guard classes.contains(positive) else {
        throw ModelError("\(Setting.task) \(self) names a class that the data has not: its labels are \(classes)")
      }
      // Of more classes, the rest has no name.
      let isLastOfTwo = names?.count == 2 && classes.count == 2 && positive == classes.lastLabel
      return SigmoidCrossEntropy(positive: positive, names: isLastOfTwo ? names : nil, weighting: weighting)
    case (.pixelsBySoftmax, .input(let count)): return PixelSoftmaxCrossEntropy(pixels: count)
    case (.pixelsBySigmoid, .input(let count)): return PixelSigmoidCrossEntropy(pixels: count)
    case (.hiddenPixels, .input): return try HiddenPatchError(input: input)
    case (.regress, .values(let count)), (.regress, .input(let count)): return MeanSquaredError(outputs: count)
    default:
      throw ModelError("\(Setting.task) \(self) does not fit the data, whose targets are \(targets)")
    }
  }
}
