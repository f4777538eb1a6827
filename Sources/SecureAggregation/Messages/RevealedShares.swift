import Privacy

/// Stage 4, from a client: one share of one secret of each of its neighbours and of itself.
public struct RevealedShares: Hashable, Sendable {
  /// A share of one client's secret.
  struct Entry: Hashable, Sendable {
    /// The client whose secret it is of.
    let owner: Int
    let share: ShamirSharing.Share
  }

  /// The round.
  public let round: Int
  /// The client that reveals them.
  public let client: Int
  /// Shares of the seeds of survivors' own masks, by rising owner.
  let seeds: [Entry]
  /// Shares of dropped clients' private mask keys, by rising owner.
  let keys: [Entry]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.revealedShares, round: round)
    writer.put(client)
    for entries in [seeds, keys] {
      writer.put(entries.count)
      for entry in entries {
        writer.put(entry.owner)
        for word in 0..<8 { writer.put(entry.share[word]) }
      }
    }
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .revealedShares)
    let client = try reader.number()
    let (seeds, keys) = (try Self.entries(&reader), try Self.entries(&reader))
    try reader.end()
    self.init(round: reader.round, client: client, seeds: seeds, keys: keys)
  }

  init(round: Int, client: Int, seeds: [Entry], keys: [Entry]) {
    self.round = round
    self.client = client
    self.seeds = seeds
    self.keys = keys
  }

  private static func entries(_ reader: inout WireReader) throws(AggregationError) -> [Entry] {
    var (entries, owners): ([Entry], [Int]) = ([], [])
    for _ in 0..<(try reader.count(ofSize: 4 + 64)) {
      try reader.append(try reader.number(), to: &owners)
      entries.append(Entry(owner: owners[owners.count - 1], share: try reader.share()))
    }
    return entries
  }
}

extension WireReader {
  /// The eight numbers of a share, each below 2⁶¹ − 1.
  mutating func share() throws(AggregationError) -> ShamirSharing.Share {
    var share = ShamirSharing.Share()
    for word in 0..<8 {
      share[word] = try longWord()
      guard share[word] < FieldElement.prime else { throw .malformed("a share holds \(share[word])") }
    }
    return share
  }
}
