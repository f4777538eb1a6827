import COpenSSL
import FoundationEssentials

/// SHA-256 of bytes that come in pieces: `update` as often as there are pieces, then `finalize` once.
///
/// libcrypto computes it, with the CPU's own SHA instructions where it has them. This file is the package's one fence
/// around libcrypto. Its calls fail only when memory runs out or its installation is broken: both end the program.
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

  /// Appends `bytes` to what is hashed.
  public mutating func update(_ bytes: RawSpan) {
    let status = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    precondition(status == 1, "libcrypto: SHA-256 failed")
  }

  /// Appends `bytes` to what is hashed.
  public mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }

  /// Appends `data` to what is hashed, without a copy.
  public mutating func update(_ data: Data) { update(data.bytes) }

  /// The digest of everything appended. The hasher is used up.
  public consuming func finalize() -> SHA256Digest {
    var words = SIMD32<UInt8>()
    let status = unsafe withUnsafeMutableBytes(of: &words) {
      unsafe EVP_DigestFinal_ex(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
    }
    precondition(status == 1, "libcrypto: SHA-256 failed")
    return SHA256Digest(words: words)
  }
}
