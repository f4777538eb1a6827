import Tensors

/// One stage of a planned network: a layer, or several that one kernel does.
public struct StageDescription: Sendable {
  /// The layer, as `convolution1` or, of those that learn nothing, `relu`.
  public let name: String
  /// The shape of one sample's output.
  public let output: Shape
  /// The floating-point operations of training on one sample.
  public let trainingOperations: Int
}
