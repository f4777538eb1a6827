import NeuralNetworks
import Tensors

/// A slice of an evaluation as a ``Metric`` sees it.
public struct Predictions {
  /// The network's outputs, [samples, outputs].
  public let outputs: Buffer<Float>
  /// The samples that they are for.
  public let examples: Examples
  /// The predicted classes; nil if the loss is over none.
  public let classes: ClassPredictions?

  /// The predictions in the outputs of a network that is trained on `loss`.
  public init(outputs: Buffer<Float>, examples: Examples, loss: any Loss) {
    self.outputs = outputs
    self.examples = examples
    classes = (loss as? any ClassLoss).map { ClassPredictions(outputs, examples, $0) }
  }
}
