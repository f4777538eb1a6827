import CZlib

/// The CRC-32 of bytes that come piece by piece, as PNG files and ZIP archives have it (ISO 3309).
///
/// This file is one of the package's fences around zlib.
public struct CRC32: Sendable, Hashable {
  /// The checksum of all bytes so far.
  public private(set) var value: UInt32 = 0

  /// The checksum of no bytes.
  public init() {}

  /// The checksum of `bytes`.
  public init(of bytes: [UInt8]) { update(bytes) }

  /// Appends `bytes`.
  public mutating func update(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe append($0) } }

  /// Appends `bytes`.
  public mutating func update(_ bytes: RawSpan) { unsafe bytes.withUnsafeBytes { unsafe append($0) } }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    // Without bytes zlib would begin anew.
    guard let start = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    unsafe value = UInt32(
      truncatingIfNeeded: crc32_z(UInt(value), start.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
