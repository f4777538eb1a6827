import NeuralNetworks
import Tensors

extension Layer {
  /// A forward call with all of the layer's parameters in one buffer.
  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    forward(input, ParameterBlock(parameters, ParameterLayout(self.parameters)), into: output, pass)
  }

  /// A backward call with all of the layer's parameters in one buffer, and their gradients in another.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    let layout = ParameterLayout(self.parameters)
    backward(
      BackwardWindows(
        outputGradient: outputGradient, input: input, output: output, parameters: ParameterBlock(parameters, layout),
        inputGradient: inputGradient, gradient: GradientBlock(gradient, layout, accumulation)), pass)
  }
}
