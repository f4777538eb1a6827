import Kernels
import Tensors

/// A learnt vector for each token: `y[i] = vectors[x[i]]`.
///
/// Input `[positions]`, each a whole number from 0 to below ``tokens`` → output `[positions, width]`. What is none gives NaN, so that a net
/// from a file on other data than it was made for ends a run as any step does that is not finite. Parameter: `vectors` [tokens, width]
/// (normal, deviation 1). It computes what PyTorch's `nn.Embedding` does, and starts as it does. There is no gradient by a whole number:
/// the input's is zero.
///
///     Sequential([Embedding(tokens: 3, width: 64), Positions()], input: [196], capacity: 32)
public struct Embedding: LayerSpecification {
  /// The number of different tokens.
  public let tokens: Int
  /// The floats of a token's vector.
  public let width: Int
  public var kind: String { "embedding" }

  /// A vector of `width` floats for each of `tokens` tokens; both 1 or more.
  public init(tokens: Int, width: Int) {
    precondition(tokens >= 1 && width >= 1, "an embedding of \(tokens) tokens in \(width) floats")
    self.tokens = tokens
    self.width = width
  }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank == 1, input[0] >= 1 else {
      throw ModelError("an embedding cannot take input of shape \(input): it takes [positions]")
    }
    return [input[0], width]
  }

  public func learntCount(for input: Shape) -> Double { Double(tokens) * Double(width) }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    _ = try outputShape(for: input)
    return EmbeddingLayer(tokens: tokens, width: width)
  }
}

private final class EmbeddingLayer: Layer {
  private let tokens: Int
  private let width: Int
  let parameters: [ParameterSpecification]
  /// The vectors' gradient, completed here over samples and positions before it is written or added.
  private let vectorsGradient: Buffer<Float>

  init(tokens: Int, width: Int) {
    self.tokens = tokens
    self.width = width
    parameters = [
      ParameterSpecification(name: "vectors", shape: [tokens, width], initialiser: .normal(deviation: 1))
    ]
    vectorsGradient = Buffer(count: tokens * width)
  }

  /// The place of a token's vector; nil if `token` is none.
  private func vector(_ token: Float) -> Range<Int>? {
    guard token >= 0, token < Float(tokens), token == token.rounded() else { return nil }
    return Int(token) * width..<(Int(token) + 1) * width
  }

  private func row(_ index: Int) -> Range<Int> { index * width..<(index + 1) * width }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let vectors = parameters[0]
    for index in 0..<input.count {
      if let vector = vector(input[index]) {
        output[row(index)].copy(from: vectors[vector])
      } else {
        output[row(index)].fill(.nan)
      }
    }
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    PositionStepper { [self] input, parameters, _, output in
      forward(input, parameters, into: output, Pass(samples: samples))
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    vectorsGradient.fill(0)
    for index in 0..<windows.input.count {
      guard let vector = vector(windows.input[index]) else { continue }
      add(windows.outputGradient[row(index)], into: vectorsGradient[vector])
    }
    windows.gradient.complete(0, with: vectorsGradient)
    windows.inputGradient?.fill(0)
  }
}

extension Embedding {
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch, input.features == FrameworkModule.Input.plain(input.shape) else {
      throw withoutModule(in: framework)
    }
    return FrameworkModule([FrameworkTensor(framework, "weight", [tokens, width], parameter: "vectors")])
  }
}

extension Embedding: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("tokens", tokens), .integer("width", width)] }

  public init(from reader: inout LayerReader) throws {
    self.init(tokens: try reader.integer("tokens"), width: try reader.size("width"))
  }
}
