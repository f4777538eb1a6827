import Kernels
import Tensors

/// `Conv2D(3×3, valid)` of one channel → `ReLU` → `MaxPool2D(2)` as one layer, which the planning pass puts in their
/// place if a network begins with them.
///
/// Input `[height, width, 1]` → output `[(height − 2) / 2, (width − 2) / 2, filters]`. Parameters and values are those
/// of the three layers, up to rounding. Of the convolution's output only the pooled quarter is ever written.
struct ConvolutionReLUPool: LayerSpecification {
  private let convolution: Conv2D
  private let shape: FusedConvolutionShape
  var kind: String { convolution.kind }

  /// nil if the kernel cannot do these sizes.
  init?(_ convolution: Conv2D, _ pool: MaxPool2D, input: Shape) {
    guard input.rank == 3, input[2] == 1, convolution.kernel == 3, convolution.padding == .valid,
      convolution.stride == 1, convolution.hasBias, pool.size == 2, pool.stride == 2,
      let shape = FusedConvolutionShape(height: input[0], width: input[1], channels: convolution.filters)
    else { return nil }
    self.convolution = convolution
    self.shape = shape
  }

  func outputShape(for input: Shape) throws -> Shape {
    [shape.pooledHeight, shape.pooledWidth, shape.channels]
  }

  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    let positions = (input[0] - 2) * (input[1] - 2)
    return 2 * 9 * shape.channels * (positions + shape.pooledHeight * shape.pooledWidth)
  }

  func learntCount(for input: Shape) -> Double { convolution.learntCount(for: input) }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    precondition(!needsInputGradient, "the fused convolution stands only where no input gradient is asked for")
    return ConvolutionReLUPoolLayer(shape, parameters: convolution.parameters(channels: 1), capacity: capacity)
  }
}

private final class ConvolutionReLUPoolLayer: Layer {
  private let shape: FusedConvolutionShape
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let winners: Buffer<Float>
  private let scratch: Buffer<Float>
  var kept: Buffer<Float>?

  init(_ shape: FusedConvolutionShape, parameters: [ParameterSpecification], capacity: Int) {
    self.shape = shape
    self.parameters = parameters
    winners = Buffer(count: capacity * shape.pooledCount)
    scratch = Buffer(count: shape.scratchCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    fusedConvolution(
      input, weights: parameters[0], bias: parameters[1], into: output,
      winners: winners.prefix(output.count), samples: pass.samples, shape)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    fusedConvolutionGradient(
      windows.outputGradient, winners: winners.prefix(windows.output.count), input: windows.input,
      into: windows.gradient[0],
      bias: windows.gradient[1], samples: pass.samples, shape, scratch: scratch, windows.gradient.accumulation)
  }
}

extension ConvolutionReLUPoolLayer: SampleGradientKeeper {
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock) {
    fusedConvolutionGradient(
      windows.outputGradient.rows(samples, of: shape.pooledCount),
      winners: winners.rows(samples, of: shape.pooledCount),
      input: windows.input.rows(samples, of: shape.height * shape.width), into: gradient[0], bias: gradient[1],
      samples: samples.count, shape, scratch: scratch, gradient.accumulation)
  }
}
