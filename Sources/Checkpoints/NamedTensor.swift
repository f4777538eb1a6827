import Tensors

/// A tensor as a file holds it: a name, a shape and its elements in row-major order.
public struct NamedTensor: StorableTensor {
  /// The name, unique in its file: "dense.weight", "optimizer.m.dense.weight".
  public let name: String
  /// The shape.
  public let shape: Shape
  /// The `shape.count` elements, shared with all who hold the buffer.
  public let values: Buffer<Float>
  public var elementType: ElementType { .float32 }

  /// A tensor of this shape over `values`, which must have `shape.count` elements.
  public init(name: String, shape: Shape, values: Buffer<Float>) {
    precondition(shape.count == values.count, "\(name): \(values.count) values for shape \(shape)")
    self.name = name
    self.shape = shape
    self.values = values
  }

  public func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
    try values.withBytes(body)
  }
}
