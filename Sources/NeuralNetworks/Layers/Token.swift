import Tensors

/// One of the tokens, and none of the others: `y = x[index]`. Learns nothing.
///
/// Input `[tokens, width]` → output `[width]`.
///
///     Sequential([Token(0), Dense(10)], input: [50, 64], capacity: 32)
public struct Token: LayerSpecification {
  /// Which token, from 0.
  public let index: Int
  public var kind: String { "token" }

  /// The token at `index`, 0 or more.
  public init(_ index: Int) {
    precondition(index >= 0, "a token at \(index)")
    self.index = index
  }

  public func outputShape(for input: Shape) throws -> Shape { [try shape(for: input).width] }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    TokenLayer(try shape(for: input), index)
  }

  private func shape(for input: Shape) throws -> TokenShape {
    let shape = try TokenShape("the choice of a token", input: input)
    guard index < shape.tokens else {
      throw ModelError("there is no token \(index) in input of shape \(input)")
    }
    return shape
  }
}

private final class TokenLayer: Layer {
  private let shape: TokenShape
  private let index: Int
  var parameters: [ParameterSpecification] { [] }

  init(_ shape: TokenShape, _ index: Int) {
    self.shape = shape
    self.index = index
  }

  /// Where a sample's token lies in the input, and in the output.
  private func token(_ sample: Int) -> Range<Int> {
    let start = sample * shape.count + index * shape.width
    return start..<start + shape.width
  }

  private func row(_ sample: Int) -> Range<Int> { sample * shape.width..<(sample + 1) * shape.width }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for sample in 0..<pass.samples { output[row(sample)].copy(from: input[token(sample)]) }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    inputGradient.fill(0)
    for sample in 0..<pass.samples { inputGradient[token(sample)].copy(from: windows.outputGradient[row(sample)]) }
  }
}

extension Token: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("index", index)] }

  public init(from reader: inout LayerReader) throws {
    self.init(try reader.integer("index", in: 0...LayerReader.mostOfASize))
  }
}
