import Kernels
import Tensors

/// `Conv2D` of many channels → `ReLU` → `MaxPool2D(2)` as one layer, which the planning pass puts in their place.
///
/// Input `[height, width, channels]` → output `[(height − kernel + 1) / 2, (width − kernel + 1) / 2, filters]` ('valid') or
/// `[height / 2, width / 2, filters]` ('same', by a copy of the input with its zeros around it). Parameters and values are those of the three
/// layers, up to rounding. Its gradients multiply only values that the pooling and the ReLU let through.
struct PooledConvolution: LayerSpecification {
  private let convolution: Conv2D
  private let shape: PooledConvolutionShape
  /// The zeros on every side.
  private let padding: Int
  var kind: String { convolution.kind }

  /// nil if the kernel cannot do these sizes.
  init?(_ convolution: Conv2D, _ pool: MaxPool2D, input: Shape) {
    // 3×3 'same' is Winograd's, and a kernel of 1 has no padding.
    let takesPadding = convolution.kernel % 2 == 1 && convolution.kernel >= 5
    guard input.rank == 3, convolution.padding == .valid || takesPadding, convolution.stride == 1 else { return nil }
    padding = convolution.padding == .valid ? 0 : (convolution.kernel - 1) / 2
    guard convolution.hasBias, pool.size == 2, pool.stride == 2,
      let shape = PooledConvolutionShape(
        height: input[0] + 2 * padding, width: input[1] + 2 * padding, inputChannels: input[2],
        kernel: convolution.kernel, channels: convolution.filters)
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
    PooledConvolutionLayer(
      shape, padding: padding, parameters: convolution.parameters(channels: shape.inputChannels), capacity: capacity,
      needsInputGradient: needsInputGradient)
  }
}

private final class PooledConvolutionLayer: Layer {
  private let shape: PooledConvolutionShape
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let padding: Int
  /// The inputs with zeros around them [capacity, height, width, channels], and the gradient by them; empty without padding.
  private let padded: Buffer<Float>
  private let paddedGradient: Buffer<Float>
  private let winners: Buffer<Float>
  private let scratch: PooledConvolutionScratch
  var kept: Buffer<Float>?

  init(
    _ shape: PooledConvolutionShape, padding: Int, parameters: [ParameterSpecification], capacity: Int,
    needsInputGradient: Bool
  ) {
    self.shape = shape
    self.padding = padding
    self.parameters = parameters
    padded = Buffer(count: padding == 0 ? 0 : capacity * shape.inputCount)
    paddedGradient = Buffer(count: needsInputGradient ? padded.count : 0)
    winners = Buffer(count: capacity * shape.pooledCount)
    scratch = PooledConvolutionScratch(shape)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    if padding > 0 {
      forEachRow(of: 0..<pass.samples) { inner, outer in padded[outer].copy(from: input[inner]) }
    }
    pooledConvolution(
      source(input).prefix(pass.samples * shape.inputCount), weights: parameters[0], bias: parameters[1], into: output,
      winners: winners.prefix(output.count), samples: pass.samples, shape, scratch: scratch)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    differentiate(0..<pass.samples, windows, into: windows.gradient)
  }

  /// The inputs as the kernel takes them. Those with padding are of the last pass forward.
  private func source(_ input: Buffer<Float>) -> Buffer<Float> { padding == 0 ? input : padded }

  /// Calls `body` with the place of each row of pixels in the inputs and in those with padding.
  private func forEachRow(of samples: Range<Int>, _ body: (Range<Int>, Range<Int>) -> Void) {
    let (height, width) = (shape.height - 2 * padding, shape.width - 2 * padding)
    let count = width * shape.inputChannels
    for sample in samples {
      for row in 0..<height {
        let inner = (sample * height + row) * count
        let outer = ((sample * shape.height + row + padding) * shape.width + padding) * shape.inputChannels
        body(inner..<inner + count, outer..<outer + count)
      }
    }
  }
}

extension PooledConvolutionLayer: SampleGradientKeeper {
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock) {
    let inputGradient = windows.inputGradient.map { padding == 0 ? $0 : paddedGradient }
    pooledConvolutionGradient(
      windows.outputGradient.rows(samples, of: shape.pooledCount),
      winners: winners.rows(samples, of: shape.pooledCount),
      input: source(windows.input).rows(samples, of: shape.inputCount), weights: windows.parameters[0],
      into: gradient[0], bias: gradient[1], inputGradient: inputGradient?.rows(samples, of: shape.inputCount),
      samples: samples.count, shape, scratch: scratch, isLaidOut: samples.lowerBound > 0, gradient.accumulation)
    if padding > 0, let whole = windows.inputGradient {
      forEachRow(of: samples) { inner, outer in whole[inner].copy(from: paddedGradient[outer]) }
    }
  }
}
