import Tensors

/// A fully connected layer over each token by itself, with the same weights: `y = x · Wᵀ + b`. ``Dense`` takes all of its input as one.
///
/// Input `[tokens, width]` → output `[tokens, units]`. Parameters: `weights` W [units, width] (Glorot uniform), `bias` b [units] (zero), laid
/// out as PyTorch's `nn.Linear`, which computes the same.
///
///     Sequential([TokenDense(128), GELU(), TokenDense(64)], input: [50, 64], capacity: 32)
public struct TokenDense: LayerSpecification {
  /// The number of outputs of a token.
  public let units: Int
  public var kind: String { "tokendense" }

  /// A layer of `units` outputs a token, 1 or more.
  public init(_ units: Int) { self.units = units }

  public func outputShape(for input: Shape) throws -> Shape { [try shape(for: input).tokens, units] }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    (needsInputGradient ? 3 : 2) * 2 * input.count * units
  }

  public var usualMicrobatch: Int { 4 }

  public func learntCount(for input: Shape) -> Double {
    (try? shape(for: input)).map { (Double($0.width) + 1) * Double(units) } ?? 0
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try shape(for: input)
    return ProjectionLayer(inputs: shape.width, units: units, capacity: capacity * shape.tokens)
  }

  private func shape(for input: Shape) throws -> TokenShape {
    try TokenShape("a dense layer over tokens", input: input)
  }
}

extension TokenDense {
  public func module(in framework: Framework, input: FrameworkModule.Input) -> FrameworkModule {
    FrameworkModule(Projection.tensors(in: framework, inputs: input.features, units: units), stem: "dense")
  }
}

extension TokenDense: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("units", units)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.size("units")) }
}
