import Kernels
import Tensors

/// Adds a learnt vector for its place to each token: `y = x + p`.
///
/// Input `[tokens, width]` → output `[tokens, width]`. Parameter: `positions` p [tokens, width] (normal, deviation 0.02, as BERT and ViT start
/// it). It does not decay, as a bias does not.
///
///     Sequential([ClassToken(), Positions()], input: [49, 64], capacity: 32)
public struct Positions: LayerSpecification {
  public var kind: String { "positions" }

  /// A vector for each place.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    _ = try TokenShape("a layer of positions", input: input)
    return input
  }

  public func learntCount(for input: Shape) -> Double { elements(of: input) }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    PositionsLayer(try TokenShape("a layer of positions", input: input))
  }
}

private final class PositionsLayer: Layer {
  private let shape: TokenShape
  private var count: Int { shape.count }
  let parameters: [ParameterSpecification]

  init(_ shape: TokenShape) {
    self.shape = shape
    parameters = [
      ParameterSpecification(
        name: "positions", shape: [shape.tokens, shape.width], initialiser: .normal(deviation: 0.02), role: .bias)
    ]
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for sample in 0..<pass.samples {
      let range = sample * count..<(sample + 1) * count
      sum(input[range], parameters[0], into: output[range])
    }
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard shape.tokens == positions else { return nil }
    return PositionStepper { [width = shape.width] input, parameters, position, output in
      output.copy(from: input)
      addBias(parameters[0][position * width..<(position + 1) * width], toRowsOf: output)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    columnSums(windows.outputGradient, into: windows.gradient[0], windows.gradient.accumulation)
    windows.inputGradient?.copy(from: windows.outputGradient)
  }
}

extension Positions {
  /// An `nn.Parameter` with an axis of samples, as PyTorch's transformers have it.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let shape = try TokenShape("a layer of positions", input: input.shape)
    return FrameworkModule([
      FrameworkTensor(framework, "positions", [1, shape.tokens, shape.width], parameter: "positions")
    ])
  }
}

extension Positions: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
