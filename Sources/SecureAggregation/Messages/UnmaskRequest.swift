/// Stage 4, from the server to all whose updates it has: whose masks it needs which shares for.
public struct UnmaskRequest: Hashable, Sendable {
  /// The round.
  public let round: Int
  /// The clients whose updates are in the sum, rising: their own masks must come off.
  public let survivors: [Int]
  /// The clients that shared masks and then sent no update, rising: their masks with the survivors must come off.
  public let dropped: [Int]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.unmaskRequest, round: round)
    writer.put(clients: survivors)
    writer.put(clients: dropped)
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .unmaskRequest)
    let (survivors, dropped) = (try reader.clients(), try reader.clients())
    try reader.end()
    self.init(round: reader.round, survivors: survivors, dropped: dropped)
  }

  /// A request. That it asks for what no client reveals is for the clients to see.
  package init(round: Int, survivors: [Int], dropped: [Int]) {
    self.round = round
    self.survivors = survivors
    self.dropped = dropped
  }
}
