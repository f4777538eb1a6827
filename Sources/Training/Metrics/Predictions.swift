import NeuralNetworks
import Tensors

/// A slice of an evaluation as a ``Metric`` sees it.
public struct Predictions {
  /// What the network gave, [samples, outputs].
  public let outputs: Buffer<Float>
  /// The samples that it was given.
  public let examples: Examples
  /// What the outputs say of classes; nil where the loss is over none.
  public let classes: ClassPredictions?

  /// Outputs of a network that is trained on `loss`.
  public init(outputs: Buffer<Float>, examples: Examples, loss: any Loss) {
    self.outputs = outputs
    self.examples = examples
    classes = (loss as? any ClassLoss).map { ClassPredictions(outputs, examples, $0) }
  }
}
