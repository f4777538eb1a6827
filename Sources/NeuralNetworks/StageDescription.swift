import Tensors

/// One stage of a planned network: a layer, or several that one kernel does.
public struct StageDescription: Sendable {
  /// The name, such as `convolution1`, or `relu` for a layer that learns nothing.
  public let name: String
  /// The shape of one sample's input.
  public let input: Shape
  /// The shape of one sample's output.
  public let output: Shape
  /// The floating-point operations of training on one sample.
  public let trainingOperations: Int
  /// The number of its parameters.
  public let parameterCount: Int

  /// The bytes that a pass over `samples` samples must move at least, a sample: forward reads input and parameters and writes the output;
  /// backward reads both and the output's gradient, and writes the gradients of input and parameters, for which it reads the parameters.
  public func leastBytes(pass samples: Int) -> Double {
    4 * (3 * Double(input.count + output.count) + 3 * Double(parameterCount) / Double(samples))
  }
}
