import CIntrinsics

/// Asks for the cache lines that `bytes` lie in, which are needed soon.
@inline(__always)
package func prefetch(_ bytes: RawSpan) {
  unsafe bytes.withUnsafeBytes {
    guard let start = $0.baseAddress else { return }
    for offset in stride(from: 0, to: $0.count, by: cacheLineBytes) { unsafe lockstep_prefetch(start + offset) }
  }
}

private let cacheLineBytes = 64
