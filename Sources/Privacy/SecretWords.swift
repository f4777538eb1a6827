/// The random words of one client in one round: ChaCha20's under a key of its own.
package struct SecretWords: Sendable {
  private let key: SIMD8<UInt32>
  private var block = SIMD16<UInt32>()
  private var unread = 0
  private var counter: UInt32 = 0

  /// The words of a key of 32 bytes.
  package init(key: [UInt8]) { self.key = SIMD8(littleEndian: key) }

  /// The next 64 bits.
  mutating func next() -> UInt64 {
    if unread == 0 {
      block = ChaCha20.block(key: key, counter: SIMD4(counter, 0, 0, 0))
      counter += 1
      unread = 16
    }
    defer { unread -= 2 }
    return UInt64(block[17 - unread]) << 32 | UInt64(block[16 - unread])
  }

  /// The next 32 bytes.
  package mutating func nextKey() -> [UInt8] {
    (0..<4).flatMap { _ in
      let word = next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }
}

extension SIMD8<UInt32> {
  /// The words of 32 bytes.
  package init(littleEndian bytes: [UInt8]) {
    precondition(bytes.count == 32, "a key of \(bytes.count) bytes")
    self.init()
    for (index, byte) in bytes.enumerated() { self[index / 4] |= UInt32(byte) << UInt32(8 * (index % 4)) }
  }
}
