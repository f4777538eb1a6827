import Tensors

/// Renames the shape `[h, w, c]` to `[h · w · c]`, channels fastest, as Keras does; PyTorch's order differs. A planned
/// ``Sequential`` drops it, because the memory stays the same.
public struct Flatten: RenamingSpecification {
  public var kind: String { "flatten" }

  /// A flattening.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { [input.count] }
}

extension Flatten: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
