/// The block function of ChaCha20, a stream cipher: who does not know the key cannot tell its words from random ones.
///
/// Source: RFC 8439, § 2.3. The state is four constants, eight words of key, and the four words of `counter`, which
/// are the RFC's block counter and nonce.
package enum ChaCha20 {
  /// The 16 words of a counter.
  package static func block(key: SIMD8<UInt32>, counter: SIMD4<UInt32>) -> SIMD16<UInt32> {
    // The four rows of the state.
    let constants = SIMD4<UInt32>(0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574)
    var (a, b, c, d) = (constants, key.lowHalf, key.highHalf, counter)
    for _ in 0..<10 {
      quarterRounds(&a, &b, &c, &d)
      // The diagonals become columns, and columns again.
      (b, c, d) = (turned(b, by: 1), turned(c, by: 2), turned(d, by: 3))
      quarterRounds(&a, &b, &c, &d)
      (b, c, d) = (turned(b, by: 3), turned(c, by: 2), turned(d, by: 1))
    }
    return SIMD16(
      lowHalf: SIMD8(lowHalf: a &+ constants, highHalf: b &+ key.lowHalf),
      highHalf: SIMD8(lowHalf: c &+ key.highHalf, highHalf: d &+ counter))
  }

  /// Four quarter rounds, one a column.
  private static func quarterRounds(
    _ a: inout SIMD4<UInt32>, _ b: inout SIMD4<UInt32>, _ c: inout SIMD4<UInt32>, _ d: inout SIMD4<UInt32>
  ) {
    a &+= b
    d = rotated(d ^ a, by: 16)
    c &+= d
    b = rotated(b ^ c, by: 12)
    a &+= b
    d = rotated(d ^ a, by: 8)
    c &+= d
    b = rotated(b ^ c, by: 7)
  }

  /// Each word, rotated left by `bits`.
  private static func rotated(_ words: SIMD4<UInt32>, by bits: UInt32) -> SIMD4<UInt32> {
    words &<< bits | words &>> (32 - bits)
  }

  /// The row with its word `count` first.
  private static func turned(_ row: SIMD4<UInt32>, by count: Int) -> SIMD4<UInt32> {
    SIMD4(row[count & 3], row[(count + 1) & 3], row[(count + 2) & 3], row[(count + 3) & 3])
  }
}
