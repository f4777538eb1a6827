/// Stage 1, from a client: its public keys of the round.
public struct AdvertisedKeys: Hashable, Sendable {
  /// The round.
  public let round: Int
  /// The client.
  public let client: Int
  /// The X25519 key that pairwise masks are agreed on with: 32 bytes.
  public let maskKey: [UInt8]
  /// The X25519 key that shares are encrypted with: 32 bytes.
  public let channelKey: [UInt8]
  /// 32 bytes that follow from the seed of the client's own mask and do not tell it. Whoever puts the seed together from shares
  /// sees by them whether it is the one.
  public let seedCommitment: [UInt8]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.advertisedKeys, round: round)
    write(to: &writer)
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .advertisedKeys)
    try self.init(round: reader.round, from: &reader)
    try reader.end()
  }

  init(round: Int, client: Int, maskKey: [UInt8], channelKey: [UInt8], seedCommitment: [UInt8]) {
    self.round = round
    self.client = client
    self.maskKey = maskKey
    self.channelKey = channelKey
    self.seedCommitment = seedCommitment
  }

  /// The bytes of one client's keys.
  static let size = 4 + 3 * LibCrypto.keyLength

  func write(to writer: inout WireWriter) {
    writer.put(client)
    writer.put(maskKey)
    writer.put(channelKey)
    writer.put(seedCommitment)
  }

  init(round: Int, from reader: inout WireReader) throws(AggregationError) {
    self.init(
      round: round, client: try reader.number(), maskKey: try reader.bytes(LibCrypto.keyLength),
      channelKey: try reader.bytes(LibCrypto.keyLength), seedCommitment: try reader.bytes(LibCrypto.keyLength))
  }
}
