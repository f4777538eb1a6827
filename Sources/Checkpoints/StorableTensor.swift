import Tensors

/// A tensor that ``SafeTensors/write(_:metadata:to:)`` can write: ``NamedTensor`` of floats, ``NamedIntegers``.
public protocol StorableTensor: Sendable {
  /// The name, unique in its file.
  var name: String { get }
  /// The shape.
  var shape: Shape { get }
  /// The type of its elements in the file.
  var elementType: ElementType { get }
  /// Calls `body` with the elements' bytes, in row-major order as they lie in memory: `shape.count` elements of ``elementType``.
  func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure)
}
