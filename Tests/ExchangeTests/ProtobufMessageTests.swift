import Exchange
import Testing

/// The bytes are those of protobuf.dev/programming-guides/encoding.
struct ProtobufMessageTests {
  @Test func integers() {
    #expect(ProtobufMessage { $0.add(1, 150) }.bytes == [0x08, 0x96, 0x01])
    #expect(ProtobufMessage { $0.add(1, 0) }.bytes == [0x08, 0x00])
    #expect(ProtobufMessage { $0.add(16, true) }.bytes == [0x80, 0x01, 0x01])
    #expect(ProtobufMessage { $0.add(1, -2) }.bytes == [0x08, 0xFE] + Array(repeating: 0xFF, count: 8) + [0x01])
    #expect(ProtobufMessage { $0.add(2, fixed: 1) }.bytes == [0x11, 1, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func numbers() {
    #expect(ProtobufMessage { $0.add(1, 1.0) }.bytes == [0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    #expect(ProtobufMessage { $0.add(1, Float(1)) }.bytes == [0x0D, 0, 0, 0x80, 0x3F])
  }

  @Test func contents() {
    #expect(ProtobufMessage { $0.add(2, "testing") }.bytes == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
    let inner = ProtobufMessage { $0.add(1, 150) }
    #expect(ProtobufMessage { $0.add(3, inner) }.bytes == [0x1A, 0x03, 0x08, 0x96, 0x01])
    let packed = ProtobufMessage { $0.add(6, packed: [3, 270, 86942]) }
    #expect(packed.bytes == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    #expect(ProtobufMessage { $0.add(1, packed: [1.0]) }.bytes == [0x0A, 0x08, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    #expect(ProtobufMessage { $0.add(9, packed: [Float(1), -2]) }.bytes == [0x4A, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
  }
}
