import Tensors

/// A recurrent layer: input `[steps, features]` → the last state `[units]`.
public protocol RecurrentSpecification: DescribedLayer {
  /// The size of the state.
  var units: Int { get }
  /// The number of gates; each has `units` rows of the weights.
  var gates: Int { get }
  /// The layer's name in error lines, with its article.
  var title: String { get }

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

  public func learntCount(for input: Shape) -> Double { (try? shape(for: input))?.learntCount ?? 0 }

  /// The sizes of the layer. Throws ``ModelError`` if `input` is not [steps, features].
  func shape(for input: Shape) throws -> RecurrentShape {
    try RecurrentShape(title, input: input, units: units, gates: gates)
  }
}
