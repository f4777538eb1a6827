import Tensors

/// A tensor's entry in a file's header.
public struct TensorEntry: Hashable, Sendable {
  /// The name, unique in the file.
  public let name: String
  /// The type of its elements.
  public let elementType: ElementType
  /// Its shape, outermost extent first.
  public let shape: Shape
  /// The place of its elements, in bytes from the start of the data.
  public let bytes: Range<Int>
}
