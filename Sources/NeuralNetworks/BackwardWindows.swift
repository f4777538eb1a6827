import Tensors

/// What a layer reads and writes in ``Layer/backward(_:_:)``.
public struct BackwardWindows {
  /// ∂loss/∂output [samples, output shape].
  public let outputGradient: Buffer<Float>
  /// What `forward` read.
  public let input: Buffer<Float>
  /// What `forward` wrote.
  public let output: Buffer<Float>
  /// What `forward` used.
  public let parameters: ParameterBlock
  /// Receives ∂loss/∂input [samples, input shape]; nil where nothing before this layer learns.
  public let inputGradient: Buffer<Float>?
  /// Receives ∂loss/∂parameters.
  public let gradient: GradientBlock

  /// See the properties.
  public init(
    outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: ParameterBlock,
    inputGradient: Buffer<Float>?, gradient: GradientBlock
  ) {
    self.outputGradient = outputGradient
    self.input = input
    self.output = output
    self.parameters = parameters
    self.inputGradient = inputGradient
    self.gradient = gradient
  }
}
