import Privacy

/// Stage 3, from a client: its update's levels and weight under its masks, words that look random. Or the sum of several
/// clients' ones: who passes them on may add them up.
public struct MaskedUpdate: Sendable {
  /// The round.
  public let round: Int
  /// The clients whose updates are in it, rising.
  public private(set) var clients: [Int]
  /// The levels, and behind them the weight.
  private(set) var vector: WordVector

  /// The masked words, `[P + 1]`.
  public var words: [UInt32] { vector.array }

  /// Adds the words of other clients in the same round, modulo 2³².
  public mutating func add(_ other: MaskedUpdate) {
    precondition(other.round == round && Set(clients).isDisjoint(with: other.clients), "a client twice in one sum")
    vector.add(other.vector)
    clients = (clients + other.clients).sorted()
  }

  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.maskedUpdate, round: round, room: 4 * (clients.count + vector.count + 2))
    writer.put(clients: clients)
    writer.put(vector.count)
    writer.put(vector.littleEndianBytes)
    return writer.bytes
  }

  /// The message that these bytes hold. Throws ``AggregationError/malformed(_:)`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .maskedUpdate)
    let clients = try reader.clients()
    let vector = WordVector(littleEndian: try reader.bytes(4 * reader.count(ofSize: 4)))
    try reader.end()
    self.init(round: reader.round, clients: clients, vector: vector)
  }

  init(round: Int, clients: [Int], vector: WordVector) {
    self.round = round
    self.clients = clients
    self.vector = vector
  }
}
