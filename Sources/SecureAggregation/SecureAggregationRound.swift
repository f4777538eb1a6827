import Collectives
import Privacy
import Tensors

/// A round of secure aggregation among the ranks of a job: each rank simulates the clients that it is given, and rank 0 the
/// server as well.
///
/// Between the ranks only the clients' and the server's messages move, from and to rank 0, and a rank sends the sum of its
/// clients' masked updates in the place of each. The sum is one of integers modulo 2³², so it has the same bits on any number of
/// ranks, however clients are shared out, and whatever the keys are. A value is for one round.
public final class SecureAggregationRound {
  /// The stage before which a simulated client is heard of no more.
  public enum Dropout: Int, Sendable, CaseIterable {
    /// Before it has sent keys: nobody shares a mask with it.
    case keys
    /// Before it has sent shares of its secrets: likewise.
    case shares
    /// After that, before it has sent its update: its masks with the others must be put together from shares.
    case update
    /// After its update, which is in the sum: the others' shares must do.
    case unmasking
  }

  private let setup: AggregationSetup
  private let source: RandomSource
  private let communicator: any Communicator
  private let mailbox: RankMailbox
  private var clients: [Int] = []
  private var dropouts: [Int: Dropout] = [:]
  private var states: [Int: SecureAggregationClient] = [:]
  /// On rank 0.
  private var server: SecureAggregationServer?
  private var delivered: [Int: DeliveredShares] = [:]
  /// The sum of this rank's clients' masked updates, or why there is none.
  private var masked: MaskedUpdate?
  private var failure: AggregationError?

  /// A round of `setup`, the same on all ranks.
  ///
  /// - Parameter source: The origin of the secrets of this rank's clients. See ``SecureAggregationClient``: a secret key must
  ///   not be used for the same round twice.
  public init(_ setup: AggregationSetup, source: RandomSource, on communicator: any Communicator) {
    self.setup = setup
    self.source = source
    self.communicator = communicator
    mailbox = RankMailbox(communicator: communicator)
    server = communicator.rank == 0 ? SecureAggregationServer(setup: setup) : nil
  }

  /// The sum of the updates, on every rank: ``begin(clients:dropouts:)``, ``add(_:samples:of:)`` of each client and ``sum()`` in one
  /// call. Collective, and throws as they do; another error of `update` is thrown on its rank alone, where the others wait for it.
  ///
  /// - Parameters:
  ///   - clients: See ``begin(clients:dropouts:)``.
  ///   - dropouts: Likewise.
  ///   - update: Called once for each client of this rank that sends an update, in rising order: its update, `[P]`, and its samples.
  ///     The memory may be used again for the next one.
  public func sum(
    of clients: [Int], dropouts: [Int: Dropout] = [:],
    update: (_ client: Int) throws -> (update: Buffer<Float>, samples: Int)
  ) throws -> AggregatedUpdate {
    for client in try begin(clients: clients, dropouts: dropouts) {
      let (values, samples) = try update(client)
      add(values, samples: samples, of: client)
    }
    return try sum()
  }

  /// The first two stages: clients send keys and share their secrets. Collective.
  ///
  /// If a client or the server ends the round (too many have dropped out), all ranks throw the same ``AggregationError``.
  ///
  /// - Parameters:
  ///   - clients: The clients of the setup that this rank simulates. One that no rank simulates is as one that never answers.
  ///   - dropouts: Who drops out, and when; looked at for this rank's clients.
  /// - Returns: The clients of this rank that are to send an update, rising.
  @discardableResult
  public func begin(clients: [Int], dropouts: [Int: Dropout] = [:]) throws -> [Int] {
    self.clients = clients.sorted()
    self.dropouts = dropouts
    var ranks: [Int: Int] = [:]
    let roster = try exchange { () throws(AggregationError) in
      for client in present(.keys) {
        states[client] = try SecureAggregationClient(client: client, setup: setup, source: source)
      }
      return states.values.map(\.advertisedKeys.encoded)
    } serve: { messages throws(AggregationError) in
      for (rank, message) in messages {
        let keys = try AdvertisedKeys(decoding: message)
        try server?.receive(keys)
        ranks[keys.client] = rank
      }
      return .all(try server?.keyRoster().encoded)
    }
    let deliveries = try exchange { () throws(AggregationError) in
      let roster = try KeyRoster(decoding: roster[0])
      return try messages(present(.shares)) { client throws(AggregationError) in
        try client.shares(for: roster).encoded
      }
    } serve: { messages throws(AggregationError) in
      for (_, message) in messages { try server?.receive(EncryptedShares(decoding: message)) }
      var replies = [[[UInt8]]](repeating: [], count: communicator.size)
      for delivery in try server?.deliveries() ?? [] { replies[ranks[delivery.client] ?? 0].append(delivery.encoded) }
      return .each(replies)
    }
    for message in deliveries {
      let shares = try DeliveredShares(decoding: message)
      delivered[shares.client] = shares
    }
    return present(.update)
  }

  /// Masks the update, `[P]`, of one of the clients that ``begin(clients:dropouts:)`` returned, and adds it to this rank's sum. The
  /// memory may be overwritten afterwards. Who is not added has dropped out. An update that cannot be quantised makes ``sum()`` throw.
  public func add(_ update: Buffer<Float>, samples: Int, of client: Int) {
    guard var state = states[client], let shares = delivered.removeValue(forKey: client) else {
      preconditionFailure("client \(client) is another rank's, has dropped out, or was added before")
    }
    guard failure == nil else { return }
    do throws(AggregationError) {
      let message = try state.maskedUpdate(update, samples: samples, delivered: shares)
      states[client] = state
      if masked == nil { masked = message } else { masked?.add(message) }
    } catch { failure = error }
  }

  /// The last two stages: the server gets the masked updates and the survivors' shares, and takes the masks off the sum, which every
  /// rank then has. Collective. Throws as ``begin(clients:dropouts:)`` does, and if an update that was added cannot be quantised.
  public func sum() throws -> AggregatedUpdate {
    let request = try exchange { () throws(AggregationError) in
      if let failure { throw failure }
      return masked.map { [$0.encoded] } ?? []
    } serve: { messages throws(AggregationError) in
      for (_, message) in messages { try server?.receive(MaskedUpdate(decoding: message)) }
      return .all(try server?.unmaskRequest().encoded)
    }
    let survivors = try UnmaskRequest(decoding: request[0]).survivors
    var result: AggregatedUpdate?
    _ = try exchange { () throws(AggregationError) in
      let request = try UnmaskRequest(decoding: request[0])
      let present = present(.unmasking).filter(Set(request.survivors).contains)
      return try messages(present) { client throws(AggregationError) in
        try client.revealedShares(for: request).encoded
      }
    } serve: { messages throws(AggregationError) in
      for (_, message) in messages { try server?.receive(RevealedShares(decoding: message)) }
      result = try server?.sum()
      return .all(nil)
    }
    return try spread(result, of: survivors)
  }

  /// The clients of this rank that are still there in a stage.
  private func present(_ stage: Dropout) -> [Int] {
    clients.filter { (dropouts[$0]?.rawValue ?? .max) > stage.rawValue }
  }

  /// The messages of those of `clients` that have come so far.
  private func messages(
    _ clients: [Int], _ message: (inout SecureAggregationClient) throws(AggregationError) -> [UInt8]
  ) throws(AggregationError) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    for client in clients {
      guard var state = states[client] else { continue }
      messages.append(try message(&state))
      states[client] = state
    }
    return messages
  }

  /// The server's answer.
  private enum Answer {
    /// The same message for all.
    case all([UInt8]?)
    /// Some for each rank.
    case each([[[UInt8]]])
  }

  /// One stage: every rank's messages go to rank 0, which serves them and answers. An error on one rank is thrown on all.
  private func exchange(
    _ messages: () throws(AggregationError) -> [[UInt8]],
    serve: ([(rank: Int, message: [UInt8])]) throws(AggregationError) -> Answer
  ) throws -> [[UInt8]] {
    let mine = Envelope { () throws(AggregationError) in try messages() }
    let arrived = try mailbox.toFirst(mine.encoded)
    var answers: [[UInt8]] = []
    if communicator.rank == 0 {
      let answer = Swift.Result { () throws(AggregationError) in
        var all: [(rank: Int, message: [UInt8])] = []
        for (rank, bytes) in arrived.enumerated() {
          for message in try Envelope(decoding: bytes).messages.get() { all.append((rank, message)) }
        }
        return try serve(all)
      }
      answers = (0..<communicator.size).map { rank in
        Envelope { () throws(AggregationError) in
          switch try answer.get() {
          case .all(let message): message.map { [$0] } ?? []
          case .each(let messages): messages[rank]
          }
        }.encoded
      }
    }
    return try Envelope(decoding: try mailbox.fromFirst(answers)).messages.get()
  }

  /// Rank 0's result, on all ranks.
  private func spread(_ result: AggregatedUpdate?, of clients: [Int]) throws -> AggregatedUpdate {
    let bits = Buffer<Float>(count: setup.parameterCount + 1)
    if let result { result.write(bits) }
    try communicator.broadcast(bits, from: 0)
    return AggregatedUpdate(clients: clients, bits: bits)
  }
}

/// Messages of one rank, or the error in their place.
private struct Envelope {
  let messages: Swift.Result<[[UInt8]], AggregationError>

  init(_ messages: () throws(AggregationError) -> [[UInt8]]) {
    self.messages = Swift.Result { () throws(AggregationError) in try messages() }
  }

  var encoded: [UInt8] {
    switch messages {
    case .success(let messages):
      return messages.reduce(into: [0]) { bytes, message in
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) }
        bytes += message
      }
    case .failure(let error): return [1 + error.code] + Array(error.description.utf8)
    }
  }

  init(decoding bytes: [UInt8]) throws(AggregationError) {
    guard let first = bytes.first else { throw .malformed("a rank has sent nothing") }
    guard first == 0 else {
      let line = String(decoding: bytes.dropFirst(), as: UTF8.self)
      guard let error = AggregationError(code: Int(first) - 1, line: line) else {
        throw .malformed("a rank has sent an error numbered \(first)")
      }
      messages = .failure(error)
      return
    }
    var found: [[UInt8]] = []
    var position = 1
    while position < bytes.count {
      guard bytes.count - position >= 4 else { throw .malformed("a rank has sent half a length") }
      let count = (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
      position += 4
      guard bytes.count - position >= count else { throw .malformed("a rank has sent half a message") }
      found.append(Array(bytes[position..<position + count]))
      position += count
    }
    messages = .success(found)
  }
}
