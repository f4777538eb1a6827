/// The bytes before the elements of an array in a `.npy` file (numpy.lib.format, version 1.0). The elements follow in row-major order.
public struct NumPyHeader: Sendable, Hashable {
  /// The type of the elements, as NumPy writes it.
  public enum Element: String, Sendable, CaseIterable {
    /// 32-bit floats, the lowest byte first.
    case float32 = "<f4"
    /// 64-bit integers, the lowest byte first.
    case int64 = "<i8"
  }

  /// The bytes, a multiple of 64.
  public let bytes: [UInt8]

  /// The header of an array of these extents, the outermost first; of a single number without any.
  public init(_ element: Element, shape: [Int]) {
    // A tuple of one has a comma, too.
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The magic number, the version and the length take 10 bytes, the end of the line one.
    let padding = (64 - (10 + text.utf8.count + 1) % 64) % 64
    let line = Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
    bytes = [0x93] + Array("NUMPY".utf8) + [1, 0] + UInt16(line.count).littleEndianBytes + line
  }
}
