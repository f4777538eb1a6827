import FoundationEssentials

/// A SHA-256 digest (FIPS 180-4), 32 bytes: files, data sets and weights with equal digests are taken to be equal.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
  /// A vector, not an array, so that digests are compared and hashed without the heap.
  let words: SIMD32<UInt8>

  init(words: SIMD32<UInt8>) { self.words = words }

  /// The digest of these 32 bytes; nil if there are not 32.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    words = SIMD32(bytes)
  }

  /// The digest written as 64 hexadecimal digits of either case; nil for anything else.
  public init?(hex: String) {
    let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 2 * Self.byteCount, hex.utf8.count == digits.count else { return nil }
    let bytes = (0..<Self.byteCount).map { (index: Int) -> UInt8 in
      UInt8(16 * digits[2 * index] + digits[2 * index + 1])
    }
    self.init(bytes: bytes)
  }

  /// The digest of `bytes`, in one pass.
  public init(of bytes: RawSpan) {
    var hasher = SHA256Hasher()
    hasher.update(bytes)
    self = hasher.finalize()
  }

  /// The digest of `bytes`, in one pass.
  public init(of bytes: [UInt8]) { unsafe self.init(of: bytes.span.bytes) }

  /// The digest of `data`, a mapped file for example, in one pass and without a copy.
  public init(of data: Data) { self.init(of: data.bytes) }

  /// The length of a digest: 32 bytes.
  public static let byteCount = 32

  /// The 32 bytes, first to last.
  public var bytes: [UInt8] { words.indices.map { words[$0] } }

  /// The 64 lower-case hexadecimal digits that `sha256sum` prints.
  public var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The same as ``hex``.
  public var description: String { hex }
}
