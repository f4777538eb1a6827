import Kernels
import Tensors

/// The factors of a layer's products as a pass of ``Kernels/ProductPrecision/bf16`` has them: its input, its weights and its output's gradient, each
/// rounded once a pass, the weights when they have changed. The buffers are made by the first such pass, for most networks have none.
final class RoundedFactors {
  private let layout: ParameterLayout
  private let capacity: Int
  private let inputCount: Int
  private let outputCount: Int
  private lazy var inputs = Buffer<Float>(count: capacity * inputCount)
  private lazy var outputGradients = Buffer<Float>(count: capacity * outputCount)
  private lazy var values = Buffer<Float>(count: layout.count)
  private var version: WeightsVersion?

  /// Of a layer with parameters in `layout`, for up to `capacity` samples of these counts of floats.
  init(_ layout: ParameterLayout, capacity: Int, inputCount: Int, outputCount: Int) {
    self.layout = layout
    self.capacity = capacity
    self.inputCount = inputCount
    self.outputCount = outputCount
  }

  /// The input of the pass forward, rounded.
  func round(input: Buffer<Float>) -> Buffer<Float> {
    let rounded = inputs.prefix(input.count)
    roundToBFloat16(input, into: rounded)
    return rounded
  }

  /// The parameters of the pass forward, the weights rounded; what is only added stays as it is.
  func round(_ parameters: ParameterBlock, _ pass: Pass) -> ParameterBlock {
    let rounded = ParameterBlock(values, layout)
    if pass.keeps(version) { return rounded }
    version = pass.weights
    for (place, parameter) in layout.parameters.enumerated() {
      if parameter.role == .weight {
        roundToBFloat16(parameters[place], into: rounded[place])
      } else {
        rounded[place].copy(from: parameters[place])
      }
    }
    return rounded
  }

  /// The windows of the pass backward, with the rounded factors of the pass forward.
  ///
  /// - Parameter isShared: whether others read the output's gradient, which then stays as it is.
  func round(_ windows: BackwardWindows, isShared: Bool) -> BackwardWindows {
    let gradient = isShared ? outputGradients.prefix(windows.outputGradient.count) : windows.outputGradient
    roundToBFloat16(windows.outputGradient, into: gradient)
    return BackwardWindows(
      outputGradient: gradient, input: inputs.prefix(windows.input.count), output: windows.output,
      parameters: ParameterBlock(values, layout), inputGradient: windows.inputGradient, gradient: windows.gradient)
  }
}
