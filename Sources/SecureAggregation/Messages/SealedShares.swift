/// A client's two shares for another client, encrypted so that only that one can read them.
public struct SealedShares: Hashable, Sendable {
  /// The client on the other side: the receiver in ``EncryptedShares``, the sender in ``DeliveredShares``.
  public let client: Int
  /// The shares of the seed of the sender's own mask and of its private mask key, encrypted: 144 bytes.
  public let ciphertext: [UInt8]

  /// The bytes of a ciphertext: two shares of eight numbers of 61 bits, and a tag.
  static let length = 2 * 64 + LibCrypto.tagLength

  static func write(_ entries: [SealedShares], to writer: inout WireWriter) {
    writer.put(entries.count)
    for entry in entries {
      writer.put(entry.client)
      writer.put(entry.ciphertext)
    }
  }

  /// The entries, whose clients rise.
  static func read(from reader: inout WireReader) throws(AggregationError) -> [SealedShares] {
    var (entries, clients): ([SealedShares], [Int]) = ([], [])
    for _ in 0..<(try reader.count(ofSize: 4 + length)) {
      try reader.append(try reader.number(), to: &clients)
      entries.append(SealedShares(client: clients[clients.count - 1], ciphertext: try reader.bytes(length)))
    }
    return entries
  }
}
