extension Communicator {
  /// Every rank's `words`, in rank order. Collective.
  package func gather(words: [UInt64]) throws -> [[UInt64]] {
    var bytes: [UInt8] = []
    for word in words {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))) }
    }
    return try gather(bytes).map { bytes in
      stride(from: 0, to: bytes.count, by: 8).map { start in
        bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
    }
  }
}
