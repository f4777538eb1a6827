import Kernels
import Tensors

/// Puts a learnt token before the others, by which a transformer reads a class off (Devlin et al. 2018, Dosovitskiy et al. 2020).
///
/// Input `[tokens, width]` → output `[tokens + 1, width]`. Parameter: `token` [width] (zero), the same for all samples. It does not decay, as a
/// bias does not.
///
///     Sequential([ClassToken(), Positions()], input: [49, 64], capacity: 32)
public struct ClassToken: LayerSpecification {
  public var kind: String { "classtoken" }

  /// A token before the others.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    let shape = try TokenShape("a class token", input: input)
    return [shape.tokens + 1, shape.width]
  }

  public func learntCount(for input: Shape) -> Double { input.rank == 2 ? Double(input[1]) : 0 }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    ClassTokenLayer(try TokenShape("a class token", input: input), capacity: capacity)
  }
}

private final class ClassTokenLayer: Layer {
  private let shape: TokenShape
  let parameters: [ParameterSpecification]
  /// The gradient of each sample's class token [samples, width], side by side to be summed.
  private let tokenGradients: Buffer<Float>

  init(_ shape: TokenShape, capacity: Int) {
    self.shape = shape
    parameters = [ParameterSpecification(name: "token", shape: [shape.width], initialiser: .zeros, role: .bias)]
    tokenGradients = Buffer(count: capacity * shape.width)
  }

  /// Where a sample's class token lies in the output, and where its other tokens do.
  private func token(_ sample: Int) -> Range<Int> {
    let start = sample * (shape.count + shape.width)
    return start..<start + shape.width
  }

  private func others(_ sample: Int) -> Range<Int> {
    let start = token(sample).upperBound
    return start..<start + shape.count
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for sample in 0..<pass.samples {
      output[token(sample)].copy(from: parameters[0])
      output[others(sample)].copy(from: input[sample * shape.count..<(sample + 1) * shape.count])
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    for sample in 0..<pass.samples {
      tokenGradients[sample * shape.width..<(sample + 1) * shape.width].copy(
        from: windows.outputGradient[token(sample)])
      windows.inputGradient?[sample * shape.count..<(sample + 1) * shape.count].copy(
        from: windows.outputGradient[others(sample)])
    }
    columnSums(
      tokenGradients.prefix(pass.samples * shape.width), into: windows.gradient[0], windows.gradient.accumulation)
  }
}

extension ClassToken {
  /// An `nn.Parameter` with an axis of samples, as PyTorch's vision transformers have it.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    return FrameworkModule([FrameworkTensor(framework, "token", [1, 1, input.features.count], parameter: "token")])
  }
}

extension ClassToken: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
