import Digests
import FoundationEssentials
import Testing

/// Vectors: FIPS 180-4's examples, as NIST's "Example Algorithms" publishes them.
@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func publishedVectors(message: String, hex: String) {
    #expect(SHA256Digest(of: Array(message.utf8)).hex == hex)
    #expect(SHA256Digest(of: Data(message.utf8)).hex == hex)
    #expect("\(SHA256Digest(of: Array(message.utf8)))" == hex)
  }

  @Test func aMillionTimesA() {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(SHA256Digest(of: message).hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func piecesHashLikeTheWhole() {
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let whole = SHA256Digest(of: message)
    for length in [1, 3, 63, 64, 65, 999, 1000] {
      var hasher = SHA256Hasher()
      for start in stride(from: 0, to: message.count, by: length) {
        hasher.update(Array(message[start..<min(start + length, message.count)]))
        hasher.update([])
      }
      #expect(hasher.finalize() == whole, "pieces of \(length)")
    }
  }

  @Test func aHasherThatIsNeverFinishedIsFreed() {
    for _ in 0..<10_000 {
      var hasher = SHA256Hasher()
      hasher.update([1, 2, 3])
    }
  }

  @Test func digestsAreReadBackFromHexAndBytes() {
    let digest = SHA256Digest(of: [1, 2, 3])
    #expect(SHA256Digest(hex: digest.hex) == digest)
    #expect(SHA256Digest(hex: digest.hex.uppercased()) == digest)
    #expect(SHA256Digest(bytes: digest.bytes) == digest)
    #expect(SHA256Digest(hex: String(digest.hex.dropLast())) == nil)
    #expect(SHA256Digest(hex: digest.hex.dropLast() + "g") == nil)
    #expect(SHA256Digest(hex: digest.hex.dropLast() + "é") == nil)
    #expect(SHA256Digest(bytes: [1, 2, 3]) == nil)
    #expect(Set([digest, SHA256Digest(of: [1, 2, 3]), SHA256Digest(of: [])]).count == 2)
  }
}
