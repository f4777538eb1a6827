import Tensors

/// One stage of a planned network: a layer, or several that one kernel does.
public struct StageDescription: Sendable {
  /// The name, such as `convolution1`, or `relu` for a layer that learns nothing.
  public let name: String
  /// The shape of one sample's output.
  public let output: Shape
  /// The floating-point operations of training on one sample.
  public let trainingOperations: Int
}
