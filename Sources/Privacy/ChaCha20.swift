/// The block function of ChaCha20, a stream cipher: who does not know the key cannot tell its words from random ones.
///
/// Source: RFC 8439, § 2.3. The state is four constants, eight words of key, and the four words of `counter`, which
/// are the RFC's block counter and nonce.
package enum ChaCha20 {
  /// A word of 16 blocks, a lane each.
  package typealias Row = SIMD16<UInt32>

  /// The 16 words of a counter.
  package static func block(key: SIMD8<UInt32>, counter: SIMD4<UInt32>) -> SIMD16<UInt32> {
    let rows = blocks(key: key, counter: counter)
    var words = SIMD16<UInt32>()
    for word in 0..<16 { words[word] = rows[word][0] }
    return words
  }

  /// The 16 words of `counter` and of the 15 counters behind it, which differ from it in their first word alone and wrap around there.
  package static func blocks(key: SIMD8<UInt32>, counter: SIMD4<UInt32>) -> InlineArray<16, Row> {
    let start = InlineArray<16, Row> { word in
      switch word {
      case 0: Row(repeating: 0x6170_7865)
      case 1: Row(repeating: 0x3320_646e)
      case 2: Row(repeating: 0x7962_2d32)
      case 3: Row(repeating: 0x6b20_6574)
      case 4..<12: Row(repeating: key[word - 4])
      case 12: Row(repeating: counter[0]) &+ Row(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      default: Row(repeating: counter[word - 12])
      }
    }
    var (a0, a1, a2, a3) = (start[0], start[1], start[2], start[3])
    var (b0, b1, b2, b3) = (start[4], start[5], start[6], start[7])
    var (c0, c1, c2, c3) = (start[8], start[9], start[10], start[11])
    var (d0, d1, d2, d3) = (start[12], start[13], start[14], start[15])
    for _ in 0..<10 {
      // The columns, and the diagonals.
      quarterRound(&a0, &b0, &c0, &d0)
      quarterRound(&a1, &b1, &c1, &d1)
      quarterRound(&a2, &b2, &c2, &d2)
      quarterRound(&a3, &b3, &c3, &d3)
      quarterRound(&a0, &b1, &c2, &d3)
      quarterRound(&a1, &b2, &c3, &d0)
      quarterRound(&a2, &b3, &c0, &d1)
      quarterRound(&a3, &b0, &c1, &d2)
    }
    var sums = start
    sums[0] &+= a0
    sums[1] &+= a1
    sums[2] &+= a2
    sums[3] &+= a3
    sums[4] &+= b0
    sums[5] &+= b1
    sums[6] &+= b2
    sums[7] &+= b3
    sums[8] &+= c0
    sums[9] &+= c1
    sums[10] &+= c2
    sums[11] &+= c3
    sums[12] &+= d0
    sums[13] &+= d1
    sums[14] &+= d2
    sums[15] &+= d3
    return sums
  }

  @inline(__always)
  private static func quarterRound(_ a: inout Row, _ b: inout Row, _ c: inout Row, _ d: inout Row) {
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
  @inline(__always)
  private static func rotated(_ words: Row, by bits: UInt32) -> Row { words &<< bits | words &>> (32 - bits) }
}
