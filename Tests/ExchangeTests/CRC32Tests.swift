import Exchange
import Testing

struct CRC32Tests {
  /// The check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC).
  @Test func checkValue() {
    let digits = Array("123456789".utf8)
    #expect(CRC32(of: digits).value == 0xCBF4_3926)
    #expect(CRC32().value == 0 && CRC32(of: []).value == 0)
    for cut in 0...9 {
      var checksum = CRC32(of: Array(digits[..<cut]))
      checksum.update([])
      checksum.update(Array(digits[cut...]))
      #expect(checksum.value == 0xCBF4_3926)
    }
  }
}
