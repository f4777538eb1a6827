import COpenSSL
import FoundationEssentials

/// Computes the SHA-256 of bytes that come in pieces: `update` with each piece, then `finalize` once.
///
/// libcrypto computes it, with the processor's SHA instructions if it has them. This file is the room's fence around
/// libcrypto. Its calls fail only if memory runs out or libcrypto is broken; both end the program.
@safe
public struct SHA256Hasher: ~Copyable {
  private let context: OpaquePointer

  /// A hasher that has seen no bytes.
  public init() {
    guard let context = unsafe EVP_MD_CTX_new() else { fatalError("libcrypto: no memory for a SHA-256 context") }
    let status = unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(status == 1, "libcrypto: cannot start SHA-256")
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Appends `bytes` to the bytes that are hashed.
  public mutating func update(_ bytes: RawSpan) {
    let status = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    precondition(status == 1, "libcrypto: SHA-256 failed")
  }

  /// Appends `bytes` to the bytes that are hashed.
  public mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }

  /// Appends `data` to the bytes that are hashed, without a copy.
  public mutating func update(_ data: Data) { update(data.bytes) }

  /// The digest of all bytes appended. Uses the hasher up.
  public consuming func finalize() -> SHA256Digest {
    var words = SIMD32<UInt8>()
    let status = unsafe withUnsafeMutableBytes(of: &words) {
      unsafe EVP_DigestFinal_ex(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
    }
    precondition(status == 1, "libcrypto: SHA-256 failed")
    return SHA256Digest(words: words)
  }
}
