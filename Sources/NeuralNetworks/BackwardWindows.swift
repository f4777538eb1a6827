import Tensors

/// The buffers that a layer reads and writes in ``Layer/backward(_:_:)``.
public struct BackwardWindows {
  /// ∂loss/∂output [samples, output shape].
  public let outputGradient: Buffer<Float>
  /// The input of `forward` [samples, input shape].
  public let input: Buffer<Float>
  /// The output of `forward` [samples, output shape].
  public let output: Buffer<Float>
  /// The parameters of `forward`.
  public let parameters: ParameterBlock
  /// Receives ∂loss/∂input [samples, input shape]; nil if nothing before this layer learns.
  public let inputGradient: Buffer<Float>?
  /// Receives ∂loss/∂parameters.
  public let gradient: GradientBlock

  /// The windows of one call.
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
