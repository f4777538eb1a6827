import Tensors

/// A layer that can add a value from elsewhere to its output while it writes it, for ``Residual``. Its `backward` does not read the output,
/// which is then a sum.
protocol ResidualAdding: Layer {
  /// Computes `output = f(input) + residual`, without a `residual` f(input) alone. `residual` is [samples, output shape].
  func forward(
    _ input: Buffer<Float>, _ parameters: ParameterBlock, residual: Buffer<Float>?, into output: Buffer<Float>,
    _ pass: Pass)
}

extension ResidualAdding {
  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    forward(input, parameters, residual: nil, into: output, pass)
  }
}

/// A layer that can add what comes from elsewhere to its input's gradient while it writes it, for ``Residual``.
protocol ResidualGradientAdding: Layer {
  /// Computes the gradients, that of the input with `residualGradient` [samples, input shape] added; without one that alone.
  func backward(_ windows: BackwardWindows, adding residualGradient: Buffer<Float>?, _ pass: Pass)
}

extension ResidualGradientAdding {
  func backward(_ windows: BackwardWindows, _ pass: Pass) { backward(windows, adding: nil, pass) }
}
