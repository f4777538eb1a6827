/// The checksum CRC-32C of bytes: Castagnoli's polynomial, as in iSCSI (RFC 3720, appendix B.4).
public enum CRC32C {
  /// The checksums of all single bytes, by the reflected polynomial.
  private static let table: [UInt32] = (0..<256).map { byte in
    var checksum = UInt32(byte)
    for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0x82F6_3B78 : checksum >> 1 }
    return checksum
  }

  /// The checksum of `bytes`.
  public static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
    var checksum = UInt32.max
    for byte in bytes { checksum = table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ checksum >> 8 }
    return ~checksum
  }
}
