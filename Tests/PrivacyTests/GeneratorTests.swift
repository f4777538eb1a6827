import Privacy
import Tensors
import Testing

@Suite struct GeneratorTests {
  /// Random123's known answers: the lines `philox4x32 10` of its `tests/kat_vectors`.
  @Test func philox() {
    #expect(
      Philox.hash(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.hash(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.hash(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  /// RFC 8439, § 2.3.2, and the first two vectors of its appendix A.1.
  @Test func chaCha20() {
    let key = SIMD8<UInt32>(
      0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c, 0x1312_1110, 0x1716_1514, 0x1b1a_1918, 0x1f1e_1d1c)
    #expect(
      ChaCha20.block(key: key, counter: SIMD4(1, 0x0900_0000, 0x4a00_0000, 0))
        == SIMD16(
          0xe4e7_f110, 0x1559_3bd1, 0x1fdd_0f50, 0xc471_20a3, 0xc7f4_d1c7, 0x0368_c033, 0x9aaa_2204, 0x4e6c_d4c3,
          0x4664_82d2, 0x09aa_9f07, 0x05d7_c214, 0xa202_8bd9, 0xd19c_12b5, 0xb94e_16de, 0xe883_d0cb, 0x4e3c_50a2))
    #expect(
      ChaCha20.block(key: SIMD8(repeating: 0), counter: SIMD4(repeating: 0))
        == SIMD16(
          0xade0_b876, 0x903d_f1a0, 0xe56a_5d40, 0x28bd_8653, 0xb819_d2bd, 0x1aed_8da0, 0xccef_36a8, 0xc70d_778b,
          0x7c59_41da, 0x8d48_5751, 0x3fe0_2477, 0x374a_d8b8, 0xf4b8_436a, 0x1ca1_1815, 0x69b6_87c3, 0x8665_eeb2))
    #expect(
      ChaCha20.block(key: SIMD8(repeating: 0), counter: SIMD4(1, 0, 0, 0))
        == SIMD16(
          0xbee7_079f, 0x7a38_5155, 0x7c97_ba98, 0x0d08_2d73, 0xa029_0fcb, 0x6965_e348, 0x3e53_c612, 0xed7a_ee32,
          0x7621_b729, 0x434e_e69c, 0xb033_71d5, 0xd539_d874, 0x281f_ed31, 0x45fb_0a51, 0x1f0a_e1ac, 0x6f4d_794b))
  }

  @Test func secretKeys() {
    let (first, second) = (SecretKey(), SecretKey())
    #expect(first.words.count == 8)
    #expect(first.words != second.words)
    #expect(SecretKey(words: first.words).words == first.words)
    #expect("\(first)" == "secret key")
    var dumped = ""
    dump(RandomSource.secret(first), to: &dumped)
    for word in first.words { #expect(!dumped.contains("\(word)")) }
  }
}
