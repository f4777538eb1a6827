/// Stage 3, from the server to one client: the shares that its neighbours have for it. With who sent none, no mask is shared.
public struct DeliveredShares: Hashable, Sendable {
  /// The round.
  public let round: Int
  /// The receiver.
  public let client: Int
  /// The shares, by rising sender.
  public let shares: [SealedShares]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.deliveredShares, round: round)
    writer.put(client)
    SealedShares.write(shares, to: &writer)
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .deliveredShares)
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
