import Tensors

/// A recurrent layer: input `[steps, features]` → the last state `[units]`.
public protocol RecurrentSpecification: DescribedLayer {
  /// The size of the state.
  var units: Int { get }
  /// The number of gates; each has `units` rows of the weights.
  var gates: Int { get }
  /// The layer's name in error lines, with its article.
  var title: String { get }
  /// The first elements of the bias to which PyTorch's second bias can be added: by default all.
  var addableBiases: Int { get }

  /// A layer of `units` units, 1 or more.
  init(_ units: Int)
}

extension RecurrentSpecification {
  public var properties: [LayerProperty] { [.integer("units", units)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.size("units")) }

  public func outputShape(for input: Shape) throws -> Shape {
    _ = try shape(for: input)
    return [units]
  }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    (try? shape(for: input))?.trainingOperations(needsInputGradient: needsInputGradient) ?? 0
  }

  /// A plain state is small; beside it a gated one has all its gates.
  public var usualMicrobatch: Int { gates > 1 ? 8 : 32 }

  public func learntCount(for input: Shape) -> Double { (try? shape(for: input))?.learntCount ?? 0 }

  public var addableBiases: Int { gates * units }

  /// A layer of PyTorch's `nn.RNN`, `nn.LSTM` or `nn.GRU`, whose gates have our order.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let shape = try shape(for: input.shape)
    let inputs = input.features.rows(shape.rows)
    return FrameworkModule([
      FrameworkTensor(framework, "weight_ih_l0", [shape.rows, shape.features], parameter: "weights", inputs),
      FrameworkTensor(framework, "weight_hh_l0", [shape.rows, units], parameter: "recurrent"),
      FrameworkTensor(framework, "bias_ih_l0", [shape.rows], parameter: "bias"),
      FrameworkTensor(framework, "bias_hh_l0", [shape.rows], .secondBias(of: "bias", addable: addableBiases)),
    ])
  }

  /// The sizes of the layer. Throws ``ModelError`` if `input` is not [steps, features].
  func shape(for input: Shape) throws -> RecurrentShape {
    try RecurrentShape(title, input: input, units: units, gates: gates)
  }
}
