import Kernels
import Tensors

/// Batch normalisation (Ioffe & Szegedy 2015) over all but the last axis: `y = (x − mean) / √(variance + 10⁻⁵) · scale + shift`.
///
/// In training, mean and variance are those of the microbatch, the variance being the mean of (x − mean)². So each
/// microbatch is normalised by itself, as by each of PyTorch's ranks and in ghost batch normalisation (Hoffer et al. 2017),
/// and the bits do not depend on the number of ranks; they do on the size of a microbatch. One of equal values, or of one
/// value a channel, gives `shift`. In an evaluation they are running averages, moved by every step, as PyTorch moves them
/// with a momentum of 0.1: `average ← 0.9 · average + 0.1 · measured`, where the variance is the unbiased one (divided by
/// one value less), and where measured is the mean over the batch's microbatches, each as often as it has samples.
///
/// Of any shape `[…, channels]`. Parameters: `scale` (one), `shift` (zero), and the averages `mean` (zero) and `variance`
/// (one), each [channels]. With a batch of one microbatch it computes what PyTorch's `nn.BatchNorm2d(channels)` does.
///
///     Sequential([Conv2D(filters: 16, kernel: 3, bias: false), BatchNorm(), ReLU()], input: [28, 28, 1], capacity: 32)
public struct BatchNorm: LayerSpecification {
  public var kind: String { "batchnorm" }

  /// A normalisation of each channel, the last axis.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    _ = try Self.channels(of: input)
    return input
  }

  public func learntCount(for input: Shape) -> Double { input.rank >= 1 ? 2 * Double(input[input.rank - 1]) : 0 }

  /// With a rectifier.
  public func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion? {
    following.first is ReLU ? Fusion(BatchNormReLU(), replacing: 2) : nil
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    BatchNormLayer(channels: try Self.channels(of: input), capacity: capacity, rectifying: false)
  }

  static func channels(of input: Shape) throws -> Int {
    guard input.rank >= 1, input.count >= 1 else {
      throw ModelError("a batch normalisation cannot take input of shape \(input): it takes […, channels]")
    }
    return input[input.rank - 1]
  }
}

/// The layer, with or without a ReLU behind it.
final class BatchNormLayer: Layer {
  private static let epsilon: Float = 1e-5

  private let rectifying: Bool
  let parameters: [ParameterSpecification]
  private let statistics: BatchNormStatistics
  /// The gradients, completed here over the rows before they are written or added; then what the averages move to.
  private let scaleGradient: Buffer<Float>
  private let shiftGradient: Buffer<Float>
  private let measured: Buffer<Float>

  init(channels: Int, capacity: Int, rectifying: Bool) {
    self.rectifying = rectifying
    parameters = [
      ParameterSpecification(name: "scale", shape: [channels], initialiser: .ones, role: .bias),
      ParameterSpecification(name: "shift", shape: [channels], initialiser: .zeros, role: .bias),
      ParameterSpecification(name: "mean", shape: [channels], initialiser: .zeros, role: .average),
      ParameterSpecification(name: "variance", shape: [channels], initialiser: .ones, role: .average),
    ]
    statistics = BatchNormStatistics(channels: channels, capacity: capacity)
    scaleGradient = Buffer(count: channels)
    shiftGradient = Buffer(count: channels)
    measured = Buffer(count: channels)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    if pass.isTraining {
      statistics.measure(input, samples: pass.samples, epsilon: Self.epsilon)
    } else {
      statistics.take(means: parameters[2], variances: parameters[3], epsilon: Self.epsilon)
    }
    batchNorm(input, statistics, scale: parameters[0], shift: parameters[1], into: output, rectifying: rectifying)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard pass.isTraining else { return backwardByAverages(windows) }
    batchNormGradient(
      windows.outputGradient, input: windows.input, statistics, scale: windows.parameters[0],
      shift: windows.parameters[1], rectifying: rectifying, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
      into: windows.inputGradient)
    windows.gradient.complete(0, with: scaleGradient)
    windows.gradient.complete(1, with: shiftGradient)
    // Times the samples, so that the batch's sum, divided by its samples, is a mean.
    let values = windows.input.count / measured.count
    complete(2, windows.gradient, statistics.means, times: Float(pass.samples))
    complete(
      3, windows.gradient, statistics.variances,
      times: Float(pass.samples) * Float(values) / Float(max(1, values - 1)))
  }

  /// The gradients of an evaluation, in which mean and variance are constants: `∂y/∂x = scale / √(variance + 10⁻⁵)`.
  private func backwardByAverages(_ windows: BackwardWindows) {
    let (factors, channels) = (windows.parameters[0], measured.count)
    scaleGradient.fill(0)
    shiftGradient.fill(0)
    for index in 0..<windows.output.count {
      let channel = index % channels
      let gradient = rectifying && windows.output[index] <= 0 ? 0 : windows.outputGradient[index]
      let inverse = statistics.inverseDeviations[channel]
      scaleGradient[channel] += gradient * (windows.input[index] - statistics.means[channel]) * inverse
      shiftGradient[channel] += gradient
      windows.inputGradient?[index] = gradient * factors[channel] * inverse
    }
    windows.gradient.complete(0, with: scaleGradient)
    windows.gradient.complete(1, with: shiftGradient)
    measured.fill(0)
    for place in 2...3 { windows.gradient.complete(place, with: measured) }
  }

  private func complete(_ place: Int, _ gradient: GradientBlock, _ values: Buffer<Float>, times factor: Float) {
    measured.copy(from: values)
    scale(measured, by: factor)
    gradient.complete(place, with: measured)
  }
}

extension BatchNorm {
  /// Keras' has another constant under the root.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let names = [("weight", "scale"), ("bias", "shift"), ("running_mean", "mean"), ("running_var", "variance")]
    return FrameworkModule(
      names.map { name, parameter in
        FrameworkTensor(framework, name, [input.features.count], parameter: parameter, input.features)
      } + [FrameworkTensor(framework, "num_batches_tracked", [], .stepCount)], features: input.features)
  }
}

extension BatchNorm: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
