/// Stage 2, from the server to all: the public keys of every client that sent some.
public struct KeyRoster: Hashable, Sendable {
  /// The round.
  public let round: Int
  /// The keys, by rising client.
  public let keys: [AdvertisedKeys]

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.keyRoster, round: round)
    writer.put(keys.count)
    for key in keys { key.write(to: &writer) }
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .keyRoster)
    var (keys, clients): ([AdvertisedKeys], [Int]) = ([], [])
    for _ in 0..<(try reader.count(ofSize: AdvertisedKeys.size)) {
      keys.append(try AdvertisedKeys(round: reader.round, from: &reader))
      try reader.append(keys[keys.count - 1].client, to: &clients)
    }
    try reader.end()
    self.init(round: reader.round, keys: keys)
  }

  init(round: Int, keys: [AdvertisedKeys]) {
    self.round = round
    self.keys = keys
  }
}
