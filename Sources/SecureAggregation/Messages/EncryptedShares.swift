/// Stage 2, from a client: shares of its secrets for each of its neighbours, which the server passes on and cannot read.
public struct EncryptedShares: Hashable, Sendable {
  /// The round.
  public let round: Int
  /// The client whose secrets they are of.
  public let client: Int
  /// The shares, by rising receiver.
  public let shares: [SealedShares]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.encryptedShares, round: round)
    writer.put(client)
    SealedShares.write(shares, to: &writer)
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .encryptedShares)
    let client = try reader.number()
    let shares = try SealedShares.read(from: &reader)
    try reader.end()
    self.init(round: reader.round, client: client, shares: shares)
  }

  init(round: Int, client: Int, shares: [SealedShares]) {
    self.round = round
    self.client = client
    self.shares = shares
  }
}
