import Tensors

/// The function that training minimises: a sum over the samples of a function of their outputs and targets.
public protocol Loss: Sendable {
  /// The name in checkpoints, by default its description. Two losses with different gradients need different names.
  var name: String { get }
  /// The lines that a checkpoint's recipe has of it beside the name; by default none.
  var settings: [(key: String, value: String)] { get }
  /// The shape that one sample's output must have; by default ``outputs`` numbers in a row.
  var outputShape: Shape { get }
  /// The number of a sample's outputs.
  var outputs: Int { get }
  /// The number of real numbers in each sample's target; by default 0, for classes.
  var targetValues: Int { get }
  /// Whether ``LossSums/correct`` means something, so that accuracies are reported; by default where targets are classes.
  var countsCorrect: Bool { get }
  /// The unit of a sample's loss, for readers: by default `loss`, for what has no other name.
  var unit: String { get }

  /// Returns the sums over the examples, and writes ∂(loss sum)/∂output to `gradient` if it is given. Both buffers
  /// [samples, outputs].
  func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums
}

extension Loss {
  public var name: String { "\(self)" }
  public var settings: [(key: String, value: String)] { [] }
  public var outputShape: Shape { [outputs] }
  public var targetValues: Int { 0 }
  public var countsCorrect: Bool { targetValues == 0 }
  public var unit: String { "loss" }
}
