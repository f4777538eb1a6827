import Exchange
import Testing

struct NumPyHeaderTests {
  /// The bytes that NumPy 2 writes.
  @Test func bytes() {
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0]
    for (element, shape, text) in [
      (.float32, [3, 4], "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"),
      (.int64, [7], "{'descr': '<i8', 'fortran_order': False, 'shape': (7,), }"),
      (.int64, [], "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"),
    ] as [(NumPyHeader.Element, [Int], String)] {
      let bytes = NumPyHeader(element, shape: shape).bytes
      let spaces = String(repeating: " ", count: 117 - text.utf8.count)
      #expect(bytes == start + Array((text + spaces + "\n").utf8))
    }
  }

  @Test func isAMultipleOf64() {
    for rank in 0..<40 {
      let bytes = NumPyHeader(.float32, shape: [Int](repeating: 12345, count: rank)).bytes
      #expect(bytes.count % 64 == 0 && bytes.last == 10)
      #expect(Int(bytes[8]) + Int(bytes[9]) << 8 == bytes.count - 10)
    }
  }
}
