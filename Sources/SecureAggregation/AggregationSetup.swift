import Tensors

/// All that the server and the clients of a round of secure aggregation must agree on, and the round's first message.
///
/// Nothing of it is secret. The defaults are those of Flower's SecAgg+ where it has any: updates are clipped to ±8 and quantised to
/// 2²² steps, sums are modulo 2³², weights go up to 1000.
public struct AggregationSetup: Hashable, Sendable {
  /// The round's number. A client uses its keys for one round.
  public let round: Int
  /// The clients that are asked, by their numbers in the federation, rising.
  public let clients: [Int]
  /// The number of values of an update.
  public let parameterCount: Int
  /// The number of other clients that a client shares masks and secrets with: all, or the next ones on a ring on both sides
  /// (SecAgg+, Bell et al., CCS 2020).
  public let neighbourCount: Int
  /// The number of shares that give a secret.
  public let threshold: Int
  /// The largest number of samples that a client may have.
  public let maximumWeight: Int
  /// The seed of the random numbers by which updates are rounded. See ``UpdateQuantiser``.
  public let roundingSeed: UInt64

  /// The clients' places in ``clients`` in the order of the ring, and each one's place in that order. Empty if all are neighbours.
  private let ring, places: [Int]

  /// The largest number of clients whose sums fit below 2³²: 1,023.
  public static let largestClientCount = 1023
  /// The largest that ``maximumWeight`` may be: 2²⁰.
  public static let largestWeight = 1 << 20

  /// A setup of these values. Throws ``AggregationError/setup(_:)`` if no round can have them.
  ///
  /// - Parameters:
  ///   - clients: 2 to 1,023 different numbers below 2³², in any order.
  ///   - parameterCount: At least 1.
  ///   - neighbourCount: Even, or all others if nil or not below their number. The cost of masks grows with it; with few, so many of one
  ///     client's neighbours may drop out by chance that the round is lost.
  ///   - threshold: More than half of a client and its neighbours, so that a server that tells some of them that a client is gone, and
  ///     others that it is there, never gets both of its secrets; nil for the least.
  ///   - maximumWeight: From 1 to 2²⁰. A weight is rounded to a multiple of its 2²²nd part.
  public init(
    round: Int, clients: [Int], parameterCount: Int, neighbourCount: Int? = nil, threshold: Int? = nil,
    maximumWeight: Int = 1000, roundingSeed: UInt64
  ) throws(AggregationError) {
    let words = 0...Int(UInt32.max)
    let clients = clients.sorted()
    guard words.contains(round) else { throw .setup("round \(round) is not from 0 to \(UInt32.max)") }
    guard (2...Self.largestClientCount).contains(clients.count) else {
      throw .setup(
        "a round of secure aggregation has \(clients.count) clients; it needs 2 to \(Self.largestClientCount)")
    }
    guard words.contains(clients[0]), words.contains(clients[clients.count - 1]),
      !zip(clients, clients.dropFirst()).contains(where: { $0 == $1 })
    else { throw .setup("the clients of a round are not different numbers from 0 to \(UInt32.max)") }
    guard (1...Int(UInt32.max) - 1).contains(parameterCount) else {
      throw .setup("an update of \(parameterCount) values cannot be summed")
    }
    let others = clients.count - 1
    let neighbourCount = min(neighbourCount ?? others, others)
    guard neighbourCount == others || (neighbourCount >= 2 && neighbourCount.isMultiple(of: 2)) else {
      throw .setup("\(neighbourCount) neighbours of a client; an even number from 2 on, or all others")
    }
    let least = (neighbourCount + 1) / 2 + 1
    let threshold = threshold ?? least
    guard (least...neighbourCount + 1).contains(threshold) else {
      throw .setup(
        "a threshold of \(threshold) of \(neighbourCount + 1) shares; it must be from \(least) to \(neighbourCount + 1)"
      )
    }
    guard (1...Self.largestWeight).contains(maximumWeight) else {
      throw .setup("a largest weight of \(maximumWeight); it must be from 1 to \(Self.largestWeight)")
    }
    self.round = round
    self.clients = clients
    self.parameterCount = parameterCount
    self.neighbourCount = neighbourCount
    self.threshold = threshold
    self.maximumWeight = maximumWeight
    self.roundingSeed = roundingSeed
    guard neighbourCount < others else {
      (ring, places) = ([], [])
      return
    }
    var ring = Array(clients.indices)
    var random = Philox(seed: roundingSeed, purpose: .aggregationRing, stream: UInt64(round))
    for index in stride(from: ring.count - 1, to: 0, by: -1) {
      ring.swapAt(index, Int(random.next(below: UInt32(index + 1))))
    }
    var places = ring
    for (place, client) in ring.enumerated() { places[client] = place }
    (self.ring, self.places) = (ring, places)
  }

  /// The place of `client` in ``clients``; nil if it does not take part.
  func position(of client: Int) -> Int? {
    var range = clients.indices
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if clients[middle] == client { return middle }
      range = clients[middle] < client ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }

  /// The point at which the client's shares are taken; nil if it does not take part.
  func point(of client: Int) -> UInt32? { position(of: client).map { UInt32($0 + 1) } }

  /// The clients that `client`, which takes part, shares masks and secrets with.
  public func neighbours(of client: Int) -> [Int] {
    guard let position = position(of: client) else { preconditionFailure("client \(client) does not take part") }
    guard !ring.isEmpty else { return clients.filter { $0 != client } }
    let half = neighbourCount / 2
    return (1...half).flatMap { [$0, ring.count - $0] }.map { clients[ring[(places[position] + $0) % ring.count]] }
      .sorted()
  }

  /// The bytes that say, to a function that derives keys, which key of which round it is to be.
  func purpose(_ name: String, _ clients: Int...) -> [UInt8] {
    let parts = clients.map { ", client \($0)" }
    return Array(("lockstep secure aggregation, \(name), round \(round)" + parts.joined()).utf8)
  }

  /// Throws if a message of `round` is not of this one.
  func expect(round: Int) throws(AggregationError) {
    guard round == self.round else { throw .unexpected("a message of round \(round) arrived in round \(self.round)") }
  }

  /// Throws ``AggregationError/tooFew(_:)`` if, for one of `owners`, less than the threshold of it and its neighbours are among
  /// `present`.
  func expectEnough(_ present: Set<Int>, for owners: some Sequence<Int>, _ purpose: String) throws(AggregationError) {
    // Where all are neighbours, one count says it for all.
    for owner in ring.isEmpty ? Array(owners.prefix(1)) : Array(owners) {
      let left =
        ring.isEmpty
        ? present.count : neighbours(of: owner).count { present.contains($0) } + (present.contains(owner) ? 1 : 0)
      guard left >= threshold else {
        throw .tooFew(
          "round \(round): \(left) of \(neighbourCount + 1) clients are left, and \(threshold) are needed to \(purpose)"
            + (ring.isEmpty ? "" : " of client \(owner)"))
      }
    }
  }
}

extension AggregationSetup {
  /// The message's bytes.
  public var encoded: [UInt8] {
    var writer = WireWriter(.setup, round: round)
    writer.put(parameterCount)
    writer.put(neighbourCount)
    writer.put(threshold)
    writer.put(maximumWeight)
    writer.put(roundingSeed)
    writer.put(clients: clients)
    return writer.bytes
  }

  /// The setup that these bytes hold. Throws ``AggregationError`` if they hold none.
  public init(decoding bytes: [UInt8]) throws(AggregationError) {
    var reader = try WireReader(bytes, .setup)
    let (parameterCount, neighbourCount) = (try reader.number(), try reader.number())
    let (threshold, maximumWeight) = (try reader.number(), try reader.number())
    let roundingSeed = try reader.longWord()
    let clients = try reader.clients()
    try reader.end()
    try self.init(
      round: reader.round, clients: clients, parameterCount: parameterCount, neighbourCount: neighbourCount,
      threshold: threshold, maximumWeight: maximumWeight, roundingSeed: roundingSeed)
    guard self.neighbourCount == neighbourCount else {
      throw .malformed("a setup of \(clients.count) clients has \(neighbourCount) neighbours of each")
    }
  }
}

extension Philox.Purpose {
  /// The order of a round's clients on the ring of neighbours; the stream is the round.
  static var aggregationRing: Philox.Purpose { Philox.Purpose(rawValue: 60) }
  /// The rounding of an update; the stream is `round << 32 | client`.
  static var aggregationRounding: Philox.Purpose { Philox.Purpose(rawValue: 61) }
}
