/// HMAC-SHA-256 (RFC 2104; FIPS 198-1): a digest that nobody can work out, or check a guess against, without the key.
public struct HMAC: Sendable {
  /// The bytes of SHA-256's block.
  private static let blockByteCount = 64

  private let inner: [UInt8]
  private let outer: [UInt8]

  /// Digests with this key; one longer than 64 bytes is replaced by its SHA-256, as the standard says.
  public init(key: [UInt8]) {
    var block = key.count > Self.blockByteCount ? SHA256Digest(of: key).bytes : key
    block += [UInt8](repeating: 0, count: Self.blockByteCount - block.count)
    (inner, outer) = (block.map { $0 ^ 0x36 }, block.map { $0 ^ 0x5C })
  }

  /// The digest of `message`.
  public func digest(of message: [UInt8]) -> SHA256Digest {
    SHA256Digest(of: outer + SHA256Digest(of: inner + message).bytes)
  }
}
