import NeuralNetworks
import Tensors

/// A slice of an evaluation as a ``Metric`` sees it.
public struct Predictions {
  /// The network's outputs, [samples, outputs].
  public let outputs: Buffer<Float>
  /// The samples that they are for.
  public let examples: Examples
  /// The number of the first of them in the data that are evaluated.
  public let first: Int
  /// The predicted classes; nil if the loss is over none.
  public let classes: ClassPredictions?

  /// The predictions in the outputs of a network that is trained on `loss`, for samples that are numbered from `first` on.
  public init(outputs: Buffer<Float>, examples: Examples, loss: any Loss, first: Int = 0) {
    self.outputs = outputs
    self.examples = examples
    self.first = first
    classes = (loss as? any ClassLoss).map { ClassPredictions(outputs, examples, $0) }
  }
}
