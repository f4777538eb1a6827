import Tensors

/// A tensor of floats, as a file holds it.
public typealias NamedTensor = NamedArray<Float>

/// A tensor of 64-bit integers, as a file holds it: labels.
public typealias NamedIntegers = NamedArray<Int64>

/// A tensor as a file holds it: a name, a shape and its elements in row-major order.
public struct NamedArray<Element: StorableElement>: StorableTensor {
  /// The name, unique in its file: "dense.weight", "optimizer.m.dense.weight".
  public let name: String
  /// The shape.
  public let shape: Shape
  /// The `shape.count` elements, shared with all who hold the buffer.
  public let values: Buffer<Element>
  public var elementType: ElementType { Element.elementType }

  /// A tensor of this shape over `values`, which must have `shape.count` elements.
  public init(name: String, shape: Shape, values: Buffer<Element>) {
    precondition(shape.count == values.count, "\(name): \(values.count) values for shape \(shape)")
    self.name = name
    self.shape = shape
    self.values = values
  }

  public func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
    try values.withBytes(body)
  }
}
