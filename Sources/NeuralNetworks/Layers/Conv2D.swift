import Kernels
import Tensors

/// A two-dimensional convolution (a cross-correlation, as everywhere in the field):
/// `y[h, w, o] = b[o] + Σ x[s·h + i − p, s·w + j − p, c] · W[i, j, c, o]`, s the stride and p the padding.
///
/// Input `[height, width, channels]` → output `[height', width', filters]`, where `height'` is `(height − kernel) / stride + 1`
/// ('valid') or `height / stride`, rounded up ('same'). Parameters: `weights` [kernel, kernel, channels, filters] (Glorot
/// uniform), `bias` [filters] (zero) unless it has none.
///
///     Sequential([Conv2D(filters: 32, kernel: 3), ReLU()], input: [28, 28, 1], capacity: 32)
public struct Conv2D: LayerSpecification {
  /// The values beyond the image's edge.
  public enum Padding: String, CaseIterable, Sendable {
    /// None: the kernel stays inside.
    case valid
    /// (kernel − 1) / 2 zeros on every side, as PyTorch's `padding=`, so that with a stride of 1 the output is as large as
    /// the input. An even kernel needs a stride that skips the position which it lacks, such as 2 on an even image.
    case same
  }

  /// The number of output channels.
  public let filters: Int
  /// The number of the kernel's rows, and of its columns.
  public let kernel: Int
  /// The values beyond the edge.
  public let padding: Padding
  /// The rows, and the columns, from one position of the kernel to the next.
  public let stride: Int
  /// Whether a bias is added: before a normalisation, which takes it away again, none should be.
  public let hasBias: Bool
  public var kind: String { "convolution" }

  /// A convolution of `filters` filters of `kernel` × `kernel`, at every `stride`-th position, 1 or more.
  public init(filters: Int, kernel: Int, padding: Padding = .valid, stride: Int = 1, bias: Bool = true) {
    precondition(stride >= 1, "a stride of \(stride)")
    self.filters = filters
    self.kernel = kernel
    self.padding = padding
    self.stride = stride
    hasBias = bias
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let shape = try convolutionShape(for: input)
    return [shape.outputHeight, shape.outputWidth, filters]
  }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    guard let shape = try? convolutionShape(for: input) else { return 0 }
    return (needsInputGradient ? 3 : 2) * 2 * shape.positions * shape.patch * filters
  }

  public func learntCount(for input: Shape) -> Double {
    (Double(kernel * kernel) * Double(input[input.rank - 1]) + (hasBias ? 1 : 0)) * Double(filters)
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try convolutionShape(for: input)
    if let kernel = SampleConvolutionLayer.kernel(for: shape, needsInputGradient: needsInputGradient)?
      .init(shape, needsInputGradient: needsInputGradient)
    {
      return SampleConvolutionLayer(kernel, parameters: parameters(channels: shape.inputChannels), rectifying: false)
    }
    return Conv2DLayer(
      shape, parameters: parameters(channels: shape.inputChannels), needsInputGradient: needsInputGradient)
  }

  /// With a rectifier, and a pool behind that, if a kernel does these sizes.
  public func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion? {
    guard following.first is ReLU else { return nil }
    if let pool = following.dropFirst().first as? MaxPool2D {
      // The kernel for one channel has no input gradient: only a network's first layer has one channel in practice.
      if !needsInputGradient, let whole = ConvolutionReLUPool(self, pool, input: input) {
        return Fusion(whole, replacing: 3)
      }
      if let whole = PooledConvolution(self, pool, input: input) { return Fusion(whole, replacing: 3) }
    }
    return ConvolutionReLU(self, input: input, needsInputGradient: needsInputGradient).map {
      Fusion($0, replacing: 2)
    }
  }

  func convolutionShape(for input: Shape) throws -> ConvolutionShape {
    let extent = padding == .valid ? kernel : 1
    guard input.rank == 3, input[0] >= extent, input[1] >= extent else {
      throw ModelError("a \(kernel)×\(kernel) convolution cannot take input of shape \(input)")
    }
    // With as many zeros on every side an even kernel lacks a position, which a stride may skip anyway.
    let isWhole = [input[0], input[1]].allSatisfy { extent in
      extent >= 2 && (extent - 2) / stride + 1 == (extent + stride - 1) / stride
    }
    guard padding == .valid || kernel % 2 == 1 || isWhole else {
      throw ModelError(
        "a 'same' convolution needs an odd kernel, not \(kernel)×\(kernel), for input of shape \(input) and stride \(stride)"
      )
    }
    return ConvolutionShape(
      height: input[0], width: input[1], inputChannels: input[2], kernelHeight: kernel, kernelWidth: kernel,
      outputChannels: filters, padding: padding == .valid ? 0 : (kernel - 1) / 2, stride: stride)
  }

  func parameters(channels: Int) -> [ParameterSpecification] {
    let weights = ParameterSpecification(
      name: "weights", shape: [kernel, kernel, channels, filters],
      initialiser: .glorotUniform(fanIn: kernel * kernel * channels, fanOut: kernel * kernel * filters))
    let bias = ParameterSpecification(name: "bias", shape: [filters], initialiser: .zeros, role: .bias)
    return hasBias ? [weights, bias] : [weights]
  }
}

extension Conv2D: CustomStringConvertible {
  /// The values that say all it computes; stride and bias only if they are not the usual ones, so that a checkpoint from
  /// before there were others is of the same layers.
  public var description: String {
    let unusual = (stride == 1 ? "" : ", stride: \(stride)") + (hasBias ? "" : ", bias: false")
    return "Conv2D(filters: \(filters), kernel: \(kernel), padding: \(String(reflecting: padding))\(unusual))"
  }
}

/// The layer by patches and sgemm, a sample at a time: for sizes that the direct kernel cannot do, or not as fast.
private final class Conv2DLayer: Layer {
  private let shape: ConvolutionShape
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// One sample's patches [positions, patch].
  private let patches: Buffer<Float>
  /// The gradient of the patches; empty if no input gradient is needed.
  private let patchesGradient: Buffer<Float>
  /// The weights' gradient, completed here over the samples before it is written or added.
  private let weightsGradient: Buffer<Float>
  var kept: Buffer<Float>?

  init(_ shape: ConvolutionShape, parameters: [ParameterSpecification], needsInputGradient: Bool) {
    self.shape = shape
    self.parameters = parameters
    patches = Buffer(count: shape.positions * shape.patch)
    patchesGradient = Buffer(count: needsInputGradient ? shape.positions * shape.patch : 0)
    weightsGradient = Buffer(count: shape.patch * shape.outputChannels)
  }

  private func sample(_ index: Int, of buffer: Buffer<Float>, _ count: Int) -> Buffer<Float> {
    buffer[index * count..<(index + 1) * count]
  }

  private var inputCount: Int { shape.height * shape.width * shape.inputChannels }
  private var outputCount: Int { shape.positions * shape.outputChannels }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let weights = Matrix(parameters[0], rows: shape.patch, columns: shape.outputChannels)
    for index in 0..<pass.samples {
      gatherPatches(sample(index, of: input, inputCount), into: patches, shape)
      multiply(
        Matrix(patches, rows: shape.positions, columns: shape.patch), weights,
        into: Matrix(sample(index, of: output, outputCount), rows: shape.positions, columns: shape.outputChannels))
    }
    if self.parameters.count > 1 { addBias(parameters[1], toRowsOf: output) }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) { backward(windows, samples: pass.samples) }

  private func backward(_ windows: BackwardWindows, samples: Int) {
    let weights = Matrix(windows.parameters[0], rows: shape.patch, columns: shape.outputChannels)
    for index in 0..<samples {
      let outputGradients = Matrix(
        sample(index, of: windows.outputGradient, outputCount), rows: shape.positions, columns: shape.outputChannels)
      gatherPatches(sample(index, of: windows.input, inputCount), into: patches, shape)
      multiply(
        Matrix(patches, rows: shape.positions, columns: shape.patch).transposed, outputGradients,
        into: Matrix(weightsGradient, rows: shape.patch, columns: shape.outputChannels), index == 0 ? .replace : .add)
      if let inputGradient = windows.inputGradient {
        multiply(
          outputGradients, weights.transposed,
          into: Matrix(patchesGradient, rows: shape.positions, columns: shape.patch))
        scatterPatches(patchesGradient, into: sample(index, of: inputGradient, inputCount), shape)
      }
    }
    windows.gradient.complete(0, with: weightsGradient)
    if parameters.count > 1 {
      columnSums(windows.outputGradient, into: windows.gradient[1], windows.gradient.accumulation)
    }
  }
}

extension Conv2DLayer: SampleGradientKeeper {
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock) {
    let (inputs, outputs) = (inputCount, outputCount)
    backward(
      BackwardWindows(
        outputGradient: windows.outputGradient.rows(samples, of: outputs),
        input: windows.input.rows(samples, of: inputs),
        output: windows.output.rows(samples, of: outputs), parameters: windows.parameters,
        inputGradient: windows.inputGradient?.rows(samples, of: inputs), gradient: gradient), samples: samples.count)
  }
}

extension Conv2D {
  /// With more than one stride, Keras' 'same' pads the sides of an image differently.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    let shape = parameters(channels: try convolutionShape(for: input.shape).inputChannels)[0].shape
    let weights: FrameworkTensor
    switch framework {
    case .pytorch:
      let order = ElementOrder(shape, axes: [3, 2, 0, 1])
      weights = FrameworkTensor(framework, "weight", Shape(order.extents), parameter: "weights", order)
    case .keras:
      guard padding == .valid || stride == 1 else { throw withoutModule(in: framework) }
      weights = FrameworkTensor(framework, "kernel", shape, parameter: "weights")
    }
    let bias = FrameworkTensor(framework, "bias", [filters], parameter: "bias")
    return FrameworkModule(hasBias ? [weights, bias] : [weights], stem: "conv2d")
  }
}

extension Conv2D: DescribedLayer {
  public var properties: [LayerProperty] {
    [
      .integer("filters", filters), .integer("kernel", kernel), .choice("padding", padding, usual: .valid),
      .integer("stride", stride, usual: 1), .flag("bias", hasBias, usual: true),
    ]
  }

  public init(from reader: inout LayerReader) throws {
    self.init(
      filters: try reader.size("filters"), kernel: try reader.integer("kernel", in: 1...1000),
      padding: try reader.choice("padding", usual: .valid),
      stride: try reader.integer("stride", in: 1...1000, usual: 1), bias: try reader.flag("bias", usual: true))
  }
}
