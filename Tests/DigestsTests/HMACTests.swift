import Digests
import Testing

/// Vectors of RFC 4231 for HMAC-SHA-256.
@Suite struct HMACTests {
  private static func bytes(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

  @Test func publishedVectors() {
    let vectors: [(key: [UInt8], message: [UInt8], hex: String)] = [
      (
        Self.bytes(0x0B, 20), Array("Hi There".utf8),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        Self.bytes(0xAA, 20), Self.bytes(0xDD, 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
      ),
      (
        Self.bytes(0xAA, 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
    ]
    for vector in vectors { #expect(HMAC(key: vector.key).digest(of: vector.message).hex == vector.hex) }
  }
}
