import Privacy
import Tensors

/// A client in one round of secure aggregation (Bonawitz et al., arXiv 1611.04482), with its secrets.
///
/// Its messages, in this order:
///
/// 1. ``advertisedKeys``: public keys.
/// 2. ``shares(for:)``: shares of its secrets for its neighbours, encrypted.
/// 3. ``maskedUpdate(_:samples:delivered:)``: its update under a mask with each neighbour that shared, and one of its own.
/// 4. ``revealedShares(for:)``: one share of one secret for each neighbour: of the seed of its own mask if its update is in the
///    sum, of its private mask key if it is not. Never both, and only once, for the two together would unmask its update.
///
/// The server may be curious and may drop messages; it sees public keys, ciphertexts, masked words, and shares in the last stage
/// alone. As in the paper's plain variant, it is trusted with passing on the public keys that it was sent: against a server that
/// makes up clients of its own, keys would have to be signed. Secrets are not wiped from memory. A client that is of another
/// round, or of the same one again, must be made anew from another key: two updates under equal masks give their difference
/// away.
public struct SecureAggregationClient: Sendable, CustomStringConvertible, CustomReflectable {
  /// The client's number.
  public let client: Int
  /// The round.
  public let setup: AggregationSetup
  /// The message of the first stage.
  public let advertisedKeys: AdvertisedKeys

  private enum Stage: Int, Comparable {
    case advertised, shared, masked, revealed

    static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
  }

  private struct Neighbour {
    var keys: AdvertisedKeys
    var agreedSecret: [UInt8]
    /// Its shares for this client, once they are delivered.
    var shares: SecretShares?
  }

  private var stage = Stage.advertised
  private let maskKey, channelKey, seed: [UInt8]
  private var words: SecretWords
  private let neighbours: [Int]
  private var known: [Int: Neighbour] = [:]
  private var ownShares = SecretShares(seed: .init(), key: .init())

  /// The client numbered `client` of `setup`. Throws ``AggregationError/unexpected(_:)`` if it does not take part.
  ///
  /// - Parameter source: The origin of its secrets. A secret key for real; with a seed they are the same in every run, for
  ///   tests. The sum of a round is the same with any.
  public init(client: Int, setup: AggregationSetup, source: RandomSource) throws(AggregationError) {
    guard setup.position(of: client) != nil else {
      throw .unexpected("client \(client) does not take part in round \(setup.round)")
    }
    self.client = client
    self.setup = setup
    let secret: [UInt8] =
      switch source {
      case .reproducible(let seed): (0..<8).map { UInt8(truncatingIfNeeded: seed >> (8 * UInt64($0))) }
      case .secret(let key): key.words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
      }
    words = SecretWords(key: LibCrypto.derived(from: secret, purpose: setup.purpose("client", client)))
    maskKey = words.nextKey()
    channelKey = words.nextKey()
    seed = words.nextKey()
    neighbours = setup.neighbours(of: client)
    advertisedKeys = AdvertisedKeys(
      round: setup.round, client: client, maskKey: LibCrypto.publicKey(of: maskKey),
      channelKey: LibCrypto.publicKey(of: channelKey), seedCommitment: setup.commitment(to: seed, of: client))
  }

  public var description: String { "client \(client) in round \(setup.round)" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// The message of the second stage.
  ///
  /// Throws ``AggregationError``: `forged` if the client's own keys are not its own, or a key is there twice or no key; `tooFew`
  /// if fewer neighbours have sent keys than are needed to put a secret together.
  public mutating func shares(for roster: KeyRoster) throws(AggregationError) -> EncryptedShares {
    try enter(.shared, roster.round)
    let keys = Dictionary(roster.keys.map { ($0.client, $0) }) { first, _ in first }
    guard keys[client] == advertisedKeys else { throw .forged("client \(client) was sent other keys as its own") }
    guard Set(roster.keys.flatMap { [$0.maskKey, $0.channelKey] }).count == 2 * roster.keys.count else {
      throw .forged("two of the keys that client \(client) was sent are equal")
    }
    let present = neighbours.filter { keys[$0] != nil }
    try setup.expectEnough(Set(present + [client]), for: [client], "share secrets")
    let receivers = [client] + present
    let points = receivers.compactMap { setup.point(of: $0) }
    let seedShares = ShamirSharing.shares(of: seed, threshold: setup.threshold, points: points, words: &words)
    let keyShares = ShamirSharing.shares(of: maskKey, threshold: setup.threshold, points: points, words: &words)
    ownShares = SecretShares(seed: seedShares[0], key: keyShares[0])
    var sealed: [SealedShares] = []
    for (index, neighbour) in present.enumerated() {
      guard let keys = keys[neighbour], let agreedSecret = LibCrypto.agreement(channelKey, keys.channelKey) else {
        throw .forged("client \(client) was sent a key of client \(neighbour) that agrees with nobody")
      }
      known[neighbour] = Neighbour(keys: keys, agreedSecret: agreedSecret)
      let ciphertext = LibCrypto.sealed(
        SecretShares(seed: seedShares[index + 1], key: keyShares[index + 1]).text,
        key: setup.channelKey(agreedSecret, from: client, to: neighbour),
        context: setup.purpose("shares", client, neighbour))
      sealed.append(SealedShares(client: neighbour, ciphertext: ciphertext))
    }
    return EncryptedShares(round: setup.round, client: client, shares: sealed)
  }

  /// The message of the third stage: `update`, `[P]`, of `samples` samples, clipped, rounded (``UpdateQuantiser``) and masked.
  ///
  /// Throws ``AggregationError``: `update` if it cannot be quantised; `forged` if a share was changed, or made for another
  /// client or round; `tooFew` if fewer neighbours have sent shares than are needed. The client can then go no further in this
  /// round.
  public mutating func maskedUpdate(
    _ update: Buffer<Float>, samples: Int, delivered: DeliveredShares
  ) throws(AggregationError) -> MaskedUpdate {
    let plain = try UpdateQuantiser(setup).quantised(update, samples: samples, client: client)
    return try maskedUpdate(plain, delivered: delivered)
  }

  /// ``maskedUpdate(_:samples:delivered:)`` of levels that the round's ``UpdateQuantiser`` has made.
  public mutating func maskedUpdate(
    _ update: consuming QuantisedUpdate, delivered: DeliveredShares
  ) throws(AggregationError) -> MaskedUpdate {
    guard delivered.client == client else {
      throw .unexpected("client \(client) was sent shares for client \(delivered.client)")
    }
    guard update.words.count == setup.parameterCount + 1 else {
      throw .update("client \(client) has an update of another round")
    }
    try enter(.masked, delivered.round)
    var partners: [Int] = []
    for entry in delivered.shares {
      guard var neighbour = known[entry.client], neighbour.shares == nil else {
        throw .unexpected("client \(client) was sent shares of client \(entry.client), which it expects none of")
      }
      let key = setup.channelKey(neighbour.agreedSecret, from: entry.client, to: client)
      let context = setup.purpose("shares", entry.client, client)
      guard let text = LibCrypto.opened(entry.ciphertext, key: key, context: context), let shares = SecretShares(text)
      else {
        throw .forged(
          "client \(client) was sent shares of client \(entry.client) that are not from it, or not for this round")
      }
      neighbour.shares = shares
      known[entry.client] = neighbour
      partners.append(entry.client)
    }
    try setup.expectEnough(Set(partners + [client]), for: [client], "mask an update")
    var vector = update.words
    vector.add(MaskKey.own(seed: seed, setup, client))
    for partner in partners {
      guard let keys = known[partner]?.keys, let agreedSecret = LibCrypto.agreement(maskKey, keys.maskKey) else {
        throw .forged("client \(client) was sent a key of client \(partner) that agrees with nobody")
      }
      let mask = MaskKey.pair(agreed: agreedSecret, setup, client, partner)
      if client < partner { vector.add(mask) } else { vector.subtract(mask) }
    }
    return MaskedUpdate(round: setup.round, clients: [client], vector: vector)
  }

  /// The message of the fourth stage.
  ///
  /// Throws ``AggregationError``: `refused` if the request asks for both secrets of one client, or for one of a client that
  /// shared none, or says that this client has dropped; `unexpected` if it leaves a neighbour out; `tooFew` if fewer survivors
  /// are left than are needed. It is answered once: after a refusal, too, the client goes no further in this round.
  public mutating func revealedShares(for request: UnmaskRequest) throws(AggregationError) -> RevealedShares {
    try enter(.revealed, request.round)
    let (survivors, dropped) = (Set(request.survivors), Set(request.dropped))
    if let both = survivors.intersection(dropped).min() {
      throw .refused("client \(client) does not reveal both secrets of client \(both)")
    }
    guard survivors.contains(client) else {
      throw .refused("client \(client) does not reveal its private key, since it has sent its update")
    }
    let group = Set(neighbours).union([client])
    try setup.expectEnough(survivors.intersection(group), for: [client], "unmask a sum")
    var (seeds, keys): ([RevealedShares.Entry], [RevealedShares.Entry]) = ([], [])
    for owner in group.sorted() {
      let (isSurvivor, isDropped) = (survivors.contains(owner), dropped.contains(owner))
      guard let shares = owner == client ? ownShares : known[owner]?.shares else {
        guard !isSurvivor && !isDropped else {
          throw .refused("client \(client) has no mask with client \(owner) to be taken off")
        }
        continue
      }
      guard isSurvivor || isDropped else {
        throw .unexpected("client \(client) is not told whether client \(owner) has dropped out")
      }
      if isSurvivor {
        seeds.append(RevealedShares.Entry(owner: owner, share: shares.seed))
      } else {
        keys.append(RevealedShares.Entry(owner: owner, share: shares.key))
      }
    }
    return RevealedShares(round: setup.round, client: client, seeds: seeds, keys: keys)
  }

  /// Goes on to `next`, the stage behind this one.
  private mutating func enter(_ next: Stage, _ round: Int) throws(AggregationError) {
    try setup.expect(round: round)
    guard next.rawValue == stage.rawValue + 1 else {
      throw next <= stage
        ? .refused("client \(client) answers each stage of a round once")
        : .unexpected("client \(client) was sent a message of a later stage of the round")
    }
    stage = next
  }
}

extension AggregationSetup {
  /// The bytes by which the seed of a client's own mask is recognised.
  func commitment(to seed: [UInt8], of client: Int) -> [UInt8] {
    LibCrypto.derived(from: seed, purpose: purpose("commitment", client))
  }

  /// The key of what `sender` encrypts for `receiver`. It is used once, so the nonce can be zero.
  fileprivate func channelKey(_ agreedSecret: [UInt8], from sender: Int, to receiver: Int) -> [UInt8] {
    LibCrypto.derived(from: agreedSecret, purpose: purpose("channel", sender, receiver))
  }
}
