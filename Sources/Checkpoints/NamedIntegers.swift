import Tensors

/// A tensor of 64-bit integers, as a file holds it: labels.
public struct NamedIntegers: StorableTensor {
  /// The name, unique in its file.
  public let name: String
  /// The shape.
  public let shape: Shape
  /// The `shape.count` elements.
  public let values: Buffer<Int64>
  public var elementType: ElementType { .int64 }

  /// A tensor of this shape over `values`, which must have `shape.count` elements.
  public init(name: String, shape: Shape, values: Buffer<Int64>) {
    precondition(shape.count == values.count, "\(name): \(values.count) values for shape \(shape)")
    self.name = name
    self.shape = shape
    self.values = values
  }

  public func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
    try values.withBytes(body)
  }
}
