import Tensors

/// The tokens from one on, without those before it: `y[i] = x[first + i]`. Learns nothing. ``Token`` takes a single one.
///
/// Input `[tokens, width]` → output `[tokens − first, width]`.
///
///     Sequential([Tokens(from: 1), LayerNorm()], input: [50, 64], capacity: 32)
public struct Tokens: LayerSpecification {
  /// The first token that stays, from 0.
  public let first: Int
  public var kind: String { "tokens" }

  /// The tokens from that at `first` on, 0 or more.
  public init(from first: Int) {
    precondition(first >= 0, "tokens from \(first) on")
    self.first = first
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let shape = try shape(for: input)
    return [shape.tokens - first, shape.width]
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    TokensLayer(try shape(for: input), first)
  }

  private func shape(for input: Shape) throws -> TokenShape {
    let shape = try TokenShape("the choice of tokens", input: input)
    guard first < shape.tokens else { throw ModelError("there is no token \(first) in input of shape \(input)") }
    return shape
  }
}

private final class TokensLayer: Layer {
  private let shape: TokenShape
  /// The floats of the tokens that are left out.
  private let skipped: Int
  var parameters: [ParameterSpecification] { [] }

  init(_ shape: TokenShape, _ first: Int) {
    self.shape = shape
    skipped = first * shape.width
  }

  /// Where a sample's tokens lie in the input, those that are left out and the others, and where these do in the output.
  private func left(_ sample: Int) -> Range<Int> { sample * shape.count..<sample * shape.count + skipped }

  private func kept(_ sample: Int) -> Range<Int> { sample * shape.count + skipped..<(sample + 1) * shape.count }

  private func rows(_ sample: Int) -> Range<Int> {
    sample * (shape.count - skipped)..<(sample + 1) * (shape.count - skipped)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for sample in 0..<pass.samples { output[rows(sample)].copy(from: input[kept(sample)]) }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    for sample in 0..<pass.samples {
      inputGradient[left(sample)].fill(0)
      inputGradient[kept(sample)].copy(from: windows.outputGradient[rows(sample)])
    }
  }
}

extension Tokens: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("from", first)] }

  public init(from reader: inout LayerReader) throws {
    self.init(from: try reader.integer("from", in: 0...LayerReader.mostOfASize))
  }
}
