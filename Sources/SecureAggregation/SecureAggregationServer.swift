import Privacy
import Tensors

/// The server in one round of secure aggregation: it passes messages on, adds masked updates up, and takes the masks off the sum
/// alone.
///
/// It never holds an update that is not masked, nor what would unmask one: only the sum of the survivors. Each stage takes messages
/// (``receive(_:)-(AdvertisedKeys)``) until it is closed by asking for what goes back to the clients: ``keyRoster()``,
/// ``deliveries()``, ``unmaskRequest()``, ``sum()``. Who has sent nothing by then has dropped out. Every method throws
/// ``AggregationError``: `unexpected` for a message of another round or stage, or from who has dropped out before; `tooFew` if
/// too many have.
public struct SecureAggregationServer: Sendable {
  /// The round.
  public let setup: AggregationSetup

  private enum Stage: String {
    case advertising = "advertise keys"
    case sharing = "share keys"
    case collecting = "send masked updates"
    case unmasking = "reveal shares"
    case finished = "are done"
  }

  private var stage = Stage.advertising
  private var keys: [Int: AdvertisedKeys] = [:]
  private var shares: [Int: EncryptedShares] = [:]
  private var survivors: Set<Int> = []
  private var total: WordVector
  private var revealed: [Int: RevealedShares] = [:]

  /// The server of a round.
  public init(setup: AggregationSetup) {
    self.setup = setup
    total = WordVector(count: setup.parameterCount + 1)
  }

  /// Takes a client's public keys.
  public mutating func receive(_ message: AdvertisedKeys) throws(AggregationError) {
    try expect(.advertising, message.round, message.client, of: Set(setup.clients), again: keys[message.client] != nil)
    keys[message.client] = message
  }

  /// Closes the first stage. The roster is for every client in it.
  public mutating func keyRoster() throws(AggregationError) -> KeyRoster {
    try close(.advertising, next: .sharing)
    try setup.expectEnough(Set(keys.keys), for: keys.keys.sorted(), "share the secrets")
    return KeyRoster(round: setup.round, keys: keys.values.sorted { $0.client < $1.client })
  }

  /// Takes a client's encrypted shares. Throws also `unexpected` if they are not for all of its neighbours in the roster.
  public mutating func receive(_ message: EncryptedShares) throws(AggregationError) {
    try expect(.sharing, message.round, message.client, of: Set(keys.keys), again: shares[message.client] != nil)
    guard message.shares.map(\.client) == setup.neighbours(of: message.client).filter({ keys[$0] != nil }) else {
      throw .unexpected("client \(message.client) has sent shares for others than its neighbours")
    }
    shares[message.client] = message
  }

  /// Closes the second stage: a message for each client that has sent shares, by rising client.
  public mutating func deliveries() throws(AggregationError) -> [DeliveredShares] {
    try close(.sharing, next: .collecting)
    let senders = shares.keys.sorted()
    try setup.expectEnough(Set(senders), for: senders, "mask the updates")
    var entries: [Int: [SealedShares]] = [:]
    for sender in senders {
      for entry in shares[sender]?.shares ?? [] where shares[entry.client] != nil {
        entries[entry.client, default: []].append(SealedShares(client: sender, ciphertext: entry.ciphertext))
      }
    }
    return senders.map { DeliveredShares(round: setup.round, client: $0, shares: entries[$0] ?? []) }
  }

  /// Takes a masked update, or a sum of several.
  public mutating func receive(_ message: MaskedUpdate) throws(AggregationError) {
    guard let first = message.clients.first else { throw .unexpected("a masked update is of no client") }
    for client in message.clients {
      try expect(.collecting, message.round, client, of: Set(shares.keys), again: survivors.contains(client))
    }
    guard message.vector.count == total.count else {
      throw .unexpected(
        "client \(first) has sent an update of \(message.vector.count) words in the place of \(total.count)")
    }
    survivors.formUnion(message.clients)
    total.add(message.vector)
  }

  /// Closes the third stage. The request is for every survivor in it.
  public mutating func unmaskRequest() throws(AggregationError) -> UnmaskRequest {
    try close(.collecting, next: .unmasking)
    try setup.expectEnough(survivors, for: shares.keys.sorted(), "unmask the sum")
    return UnmaskRequest(
      round: setup.round, survivors: survivors.sorted(),
      dropped: shares.keys.filter { !survivors.contains($0) }.sorted())
  }

  /// Takes a survivor's shares.
  public mutating func receive(_ message: RevealedShares) throws(AggregationError) {
    try expect(.unmasking, message.round, message.client, of: survivors, again: revealed[message.client] != nil)
    let group = setup.neighbours(of: message.client).filter { shares[$0] != nil } + [message.client]
    guard message.seeds.map(\.owner) == group.filter(survivors.contains).sorted(),
      message.keys.map(\.owner) == group.filter({ !survivors.contains($0) }).sorted()
    else { throw .unexpected("client \(message.client) has revealed other shares than it was asked for") }
    revealed[message.client] = message
  }

  /// Closes the round: puts the secrets together and takes the masks off the sum.
  ///
  /// Throws also `forged` if shares do not give the secret of which they are said to be.
  public mutating func sum() throws(AggregationError) -> AggregatedUpdate {
    try close(.unmasking, next: .finished)
    let dropped = shares.keys.filter { !survivors.contains($0) }.sorted()
    try setup.expectEnough(Set(revealed.keys), for: shares.keys.sorted(), "put the secrets together")
    var (seeds, maskKeys): ([Int: Shares], [Int: Shares]) = ([:], [:])
    for client in revealed.keys.sorted() {
      guard let message = revealed[client], let point = setup.point(of: client) else { continue }
      for entry in message.seeds { seeds[entry.owner, default: []].append((point, entry.share)) }
      for entry in message.keys { maskKeys[entry.owner, default: []].append((point, entry.share)) }
    }
    for survivor in survivors.sorted() {
      let seed = try secret("seed", of: survivor, seeds[survivor], expected: keys[survivor]?.seedCommitment) {
        setup.commitment(to: $0, of: survivor)
      }
      total.subtract(MaskKey.own(seed: seed, setup, survivor))
    }
    for client in dropped {
      let maskKey = try secret("mask key", of: client, maskKeys[client], expected: keys[client]?.maskKey) {
        LibCrypto.publicKey(of: $0)
      }
      for neighbour in setup.neighbours(of: client) where survivors.contains(neighbour) {
        guard let keys = keys[neighbour], let agreedSecret = LibCrypto.agreement(maskKey, keys.maskKey) else {
          throw .forged("client \(neighbour) has sent a key that agrees with nobody")
        }
        let mask = MaskKey.pair(agreed: agreedSecret, setup, client, neighbour)
        if neighbour < client { total.subtract(mask) } else { total.add(mask) }
      }
    }
    return AggregatedUpdate(clients: survivors.sorted(), words: total)
  }

  private typealias Shares = [(point: UInt32, share: ShamirSharing.Share)]

  /// The secret of `shares`, whose public image must be the one that its owner has sent.
  private func secret(
    _ name: String, of owner: Int, _ shares: Shares?, expected: [UInt8]?, image: ([UInt8]) -> [UInt8]
  ) throws(AggregationError) -> [UInt8] {
    guard let secret = ShamirSharing.secret(from: Array((shares ?? []).prefix(setup.threshold))),
      image(secret) == expected
    else { throw .forged("round \(setup.round): the shares of the \(name) of client \(owner) do not give it") }
    return secret
  }

  private func expect(
    _ stage: Stage, _ round: Int, _ client: Int, of clients: Set<Int>, again: Bool
  ) throws(AggregationError) {
    try setup.expect(round: round)
    guard stage == self.stage else {
      throw .unexpected(
        "round \(round): client \(client) goes on to \(stage.rawValue) while clients \(self.stage.rawValue)")
    }
    guard clients.contains(client) else {
      throw .unexpected("round \(round): client \(client) does not take part, or has dropped out before")
    }
    guard !again else { throw .unexpected("round \(round): client \(client) has sent the same message twice") }
  }

  private mutating func close(_ stage: Stage, next: Stage) throws(AggregationError) {
    guard stage == self.stage else {
      throw .unexpected("round \(setup.round): clients \(self.stage.rawValue), and do not \(stage.rawValue)")
    }
    self.stage = next
  }
}
