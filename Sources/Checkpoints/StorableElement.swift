/// A number that tensors in files can be of.
public protocol StorableElement: BitwiseCopyable, Sendable {
  /// Its type in a file.
  static var elementType: ElementType { get }
}

extension Float: StorableElement {
  public static var elementType: ElementType { .float32 }
}

extension Int64: StorableElement {
  public static var elementType: ElementType { .int64 }
}
