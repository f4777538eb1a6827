import Kernels
import Tensors

/// `Conv2D(valid)` of many channels → `ReLU` → `MaxPool2D(2)` as one layer, which the planning pass puts in their place.
///
/// Input `[height, width, channels]` → output `[(height − kernel + 1) / 2, (width − kernel + 1) / 2, filters]`.
/// Parameters and values are those of the three layers, up to rounding. Its gradients multiply only values that the
/// pooling and the ReLU let through.
struct PooledConvolution: LayerSpecification {
  private let convolution: Conv2D
  private let shape: PooledConvolutionShape
  var kind: String { convolution.kind }

  /// nil if the kernel cannot do these sizes.
  init?(_ convolution: Conv2D, _ pool: MaxPool2D, input: Shape) {
    guard input.rank == 3, convolution.padding == .valid, convolution.stride == 1,
      convolution.hasBias, pool.size == 2, pool.stride == 2,
      let shape = PooledConvolutionShape(
        height: input[0], width: input[1], inputChannels: input[2], kernel: convolution.kernel,
        channels: convolution.filters)
    else { return nil }
    self.convolution = convolution
    self.shape = shape
  }

  func outputShape(for input: Shape) throws -> Shape {
    [shape.pooledHeight, shape.pooledWidth, shape.channels]
  }

  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    // Four positions a window forward, one of them backward.
    (4 + (needsInputGradient ? 2 : 1)) * 2 * shape.pooledHeight * shape.pooledWidth * shape.weightsCount
  }

  func learntCount(for input: Shape) -> Double { convolution.learntCount(for: input) }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    PooledConvolutionLayer(shape, parameters: convolution.parameters(channels: shape.inputChannels), capacity: capacity)
  }
}

private final class PooledConvolutionLayer: Layer {
  private let shape: PooledConvolutionShape
  let parameters: [ParameterSpecification]
  private let winners: Buffer<Float>
  private let scratch: PooledConvolutionScratch
  var kept: Buffer<Float>?

  init(_ shape: PooledConvolutionShape, parameters: [ParameterSpecification], capacity: Int) {
    self.shape = shape
    self.parameters = parameters
    winners = Buffer(count: capacity * shape.pooledCount)
    scratch = PooledConvolutionScratch(shape)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    pooledConvolution(
      input, weights: parameters[0], bias: parameters[1], into: output,
      winners: winners.prefix(output.count), samples: pass.samples, shape, scratch: scratch)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    pooledConvolutionGradient(
      windows.outputGradient, winners: winners.prefix(windows.output.count), input: windows.input,
      weights: windows.parameters[0],
      into: windows.gradient[0], bias: windows.gradient[1], inputGradient: windows.inputGradient,
      samples: pass.samples, shape, scratch: scratch, windows.gradient.accumulation)
  }
}

extension PooledConvolutionLayer: SampleGradientKeeper {
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock) {
    pooledConvolutionGradient(
      windows.outputGradient.rows(samples, of: shape.pooledCount),
      winners: winners.rows(samples, of: shape.pooledCount),
      input: windows.input.rows(samples, of: shape.inputCount), weights: windows.parameters[0], into: gradient[0],
      bias: gradient[1], inputGradient: windows.inputGradient?.rows(samples, of: shape.inputCount),
      samples: samples.count, shape, scratch: scratch, isLaidOut: samples.lowerBound > 0, gradient.accumulation)
  }
}
