import Tensors

/// One layer in place of several neighbours.
public struct Fusion: Sendable {
  /// The layer that does what they do.
  public var layer: any LayerSpecification
  /// The number of layers that it replaces, the first included.
  public var count: Int

  /// `layer` in place of `count` layers.
  public init(_ layer: any LayerSpecification, replacing count: Int) {
    self.layer = layer
    self.count = count
  }
}

/// The planning pass: replaces neighbouring layers by one where the first of them says that it can
/// (``LayerSpecification/fused(with:input:needsInputGradient:)``). Throws ``ModelError`` if a layer cannot take its
/// input.
func fusingNeighbours(
  of layers: [any LayerSpecification], input: Shape, needsInputGradient: Bool
) throws -> [any LayerSpecification] {
  var result: [any LayerSpecification] = []
  var shape = input
  var rest = layers[...]
  while let first = rest.first {
    let fusion =
      first.fused(
        with: rest.dropFirst(), input: shape, needsInputGradient: needsInputGradient || !result.isEmpty)
      ?? Fusion(first, replacing: 1)
    result.append(fusion.layer)
    shape = try fusion.layer.outputShape(for: shape)
    rest = rest.dropFirst(fusion.count)
  }
  return result
}
