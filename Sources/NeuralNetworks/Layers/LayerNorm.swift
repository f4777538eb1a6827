import Kernels
import Tensors

/// Layer normalisation (Ba, Kiros & Hinton 2016) over the last axis: `y = (x − mean) / √(variance + 10⁻⁵) · scale + shift`, the variance
/// being the mean of (x − mean)².
///
/// Of any shape `[…, width]`. Parameters: `scale` [width] (one), `shift` [width] (zero). It computes what PyTorch's `nn.LayerNorm(width)`
/// does.
///
///     Sequential([LayerNorm(), TokenDense(128)], input: [50, 64], capacity: 32)
public struct LayerNorm: LayerSpecification {
  public var kind: String { "layernorm" }

  /// A normalisation of each row of the last axis.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank >= 1, input[input.rank - 1] >= 1 else {
      throw ModelError("a layer normalisation cannot take input of shape \(input): it takes […, width]")
    }
    return input
  }

  public func learntCount(for input: Shape) -> Double { input.rank >= 1 ? 2 * Double(input[input.rank - 1]) : 0 }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let width = try outputShape(for: input)[input.rank - 1]
    return LayerNormLayer(rows: input.count / width, width: width, capacity: capacity)
  }
}

private final class LayerNormLayer: ResidualGradientAdding {
  private let rows: Int
  private let width: Int
  let parameters: [ParameterSpecification]
  /// Of each row its mean, and 1 / √(variance + 10⁻⁵), [samples · rows].
  private let means: Buffer<Float>
  private let inverseDeviations: Buffer<Float>
  /// The gradients, completed here over the rows before they are written or added.
  private let scaleGradient: Buffer<Float>
  private let shiftGradient: Buffer<Float>

  init(rows: Int, width: Int, capacity: Int) {
    self.rows = rows
    self.width = width
    parameters = [
      ParameterSpecification(name: "scale", shape: [width], initialiser: .ones, role: .bias),
      ParameterSpecification(name: "shift", shape: [width], initialiser: .zeros, role: .bias),
    ]
    means = Buffer(count: capacity * rows)
    inverseDeviations = Buffer(count: capacity * rows)
    scaleGradient = Buffer(count: width)
    shiftGradient = Buffer(count: width)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    layerNorm(
      input, scale: parameters[0], shift: parameters[1], epsilon: 1e-5, into: output,
      means: means.prefix(pass.samples * rows), inverseDeviations: inverseDeviations.prefix(pass.samples * rows))
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard rows == positions else { return nil }
    let (means, inverseDeviations) = (Buffer<Float>(count: samples), Buffer<Float>(count: samples))
    return PositionStepper { input, parameters, _, output in
      layerNorm(
        input, scale: parameters[0], shift: parameters[1], epsilon: 1e-5, into: output, means: means,
        inverseDeviations: inverseDeviations)
    }
  }

  func backward(_ windows: BackwardWindows, adding residualGradient: Buffer<Float>?, _ pass: Pass) {
    layerNormGradient(
      windows.outputGradient, input: windows.input, scale: windows.parameters[0],
      means: means.prefix(pass.samples * rows), inverseDeviations: inverseDeviations.prefix(pass.samples * rows),
      scaleGradient: scaleGradient, shiftGradient: shiftGradient, adding: residualGradient, into: windows.inputGradient)
    windows.gradient.complete(0, with: scaleGradient)
    windows.gradient.complete(1, with: shiftGradient)
  }
}

extension LayerNorm {
  /// Keras' has another constant under the root.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let width: Shape = [input.features.count]
    return FrameworkModule(
      [
        FrameworkTensor(framework, "weight", width, parameter: "scale", input.features),
        FrameworkTensor(framework, "bias", width, parameter: "shift", input.features),
      ], features: input.features)
  }
}

extension LayerNorm: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
