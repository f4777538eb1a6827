import Tensors

/// Gives the shape another name with as many elements, such as `[28, 28, 1]` as `[28, 28]`: elements keep their order. A planned
/// ``Sequential`` drops it, for the memory is the same.
public struct Reshape: RenamingSpecification {
  /// The shape of one sample's output.
  public let shape: Shape
  public var kind: String { "reshape" }

  /// An output of shape `shape`.
  public init(_ shape: Shape) { self.shape = shape }

  public func outputShape(for input: Shape) throws -> Shape {
    guard elements(of: input) == elements(of: shape) else {
      throw ModelError("a reshape to \(shape) cannot take input of shape \(input)")
    }
    return shape
  }
}

extension Reshape: DescribedLayer {
  public var properties: [LayerProperty] { [.integers("shape", shape.extents)] }

  public init(from reader: inout LayerReader) throws { self.init(Shape(try reader.integers("shape"))) }
}
