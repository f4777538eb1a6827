import Privacy
import SecureAggregation
import Tensors

/// Clients with updates, their server, and what passed between them.
struct Cohort {
  /// The stage before which a client is heard of no more.
  typealias Dropout = SecureAggregationRound.Dropout

  let setup: AggregationSetup
  var server: SecureAggregationServer
  var clients: [Int: SecureAggregationClient] = [:]
  /// Every message, of both directions.
  var wire: [[UInt8]] = []
  /// The server as it was behind each message.
  var servers: [SecureAggregationServer] = []

  init(
    _ numbers: [Int], parameterCount: Int = 300, round: Int = 3, neighbourCount: Int? = nil, threshold: Int? = nil,
    source: RandomSource = .reproducible(seed: 1)
  ) throws {
    setup = try AggregationSetup(
      round: round, clients: numbers, parameterCount: parameterCount, neighbourCount: neighbourCount,
      threshold: threshold, roundingSeed: 5)
    server = SecureAggregationServer(setup: setup)
    for number in numbers {
      clients[number] = try SecureAggregationClient(client: number, setup: setup, source: source)
    }
  }

  /// The samples of a client.
  static func samples(_ client: Int) -> Int { 1 + client * 37 % 1000 }

  /// The update of a client: values around 0, and some beyond the clip.
  func update(_ client: Int) -> Buffer<Float> {
    var random = Philox(seed: 9, purpose: .augmentation, stream: UInt64(client))
    return Buffer(
      (0..<setup.parameterCount).map { index in
        (random.nextUniform() - 0.5) * (index % 10 == 0 ? 40 : 0.01)
      })
  }

  /// The plain levels of a client's update.
  func plain(_ client: Int) throws -> QuantisedUpdate {
    try UpdateQuantiser(setup).quantised(update(client), samples: Self.samples(client), client: client)
  }

  /// The sum that the round must give.
  func plainSum(of clients: [Int]) throws -> AggregatedUpdate {
    var sum = try plain(clients[0])
    for client in clients.dropFirst() { sum.add(try plain(client)) }
    return AggregatedUpdate(plain: sum, of: clients)
  }

  /// The clients that are still there in a stage.
  func present(_ stage: Dropout, _ dropouts: [Int: Dropout]) -> [Int] {
    setup.clients.filter { (dropouts[$0]?.rawValue ?? .max) > stage.rawValue }
  }

  // Each stage, with every message through its bytes.

  mutating func advertise(_ dropouts: [Int: Dropout] = [:]) throws -> KeyRoster {
    for client in present(.keys, dropouts) {
      try server.receive(AdvertisedKeys(decoding: note(try state(client).advertisedKeys.encoded)))
    }
    return try KeyRoster(decoding: note(try server.keyRoster().encoded))
  }

  mutating func share(_ roster: KeyRoster, _ dropouts: [Int: Dropout] = [:]) throws -> [DeliveredShares] {
    for client in present(.shares, dropouts) {
      let message = try withState(client) { try $0.shares(for: roster).encoded }
      try server.receive(EncryptedShares(decoding: note(message)))
    }
    return try server.deliveries().map { try DeliveredShares(decoding: note($0.encoded)) }
  }

  mutating func mask(_ deliveries: [DeliveredShares], _ dropouts: [Int: Dropout] = [:]) throws -> UnmaskRequest {
    for delivery in deliveries where present(.update, dropouts).contains(delivery.client) {
      try server.receive(MaskedUpdate(decoding: note(try masked(delivery).encoded)))
    }
    return try UnmaskRequest(decoding: note(try server.unmaskRequest().encoded))
  }

  mutating func masked(_ delivery: DeliveredShares) throws -> MaskedUpdate {
    let values = update(delivery.client)
    return try withState(delivery.client) {
      try $0.maskedUpdate(values, samples: Self.samples(delivery.client), delivered: delivery)
    }
  }

  mutating func unmask(_ request: UnmaskRequest, _ dropouts: [Int: Dropout] = [:]) throws -> AggregatedUpdate {
    for client in request.survivors where present(.unmasking, dropouts).contains(client) {
      let message = try withState(client) { try $0.revealedShares(for: request).encoded }
      try server.receive(RevealedShares(decoding: note(message)))
    }
    return try server.sum()
  }

  mutating func run(_ dropouts: [Int: Dropout] = [:]) throws -> AggregatedUpdate {
    let roster = try advertise(dropouts)
    let deliveries = try share(roster, dropouts)
    return try unmask(try mask(deliveries, dropouts), dropouts)
  }

  private func state(_ client: Int) throws -> SecureAggregationClient {
    guard let state = clients[client] else { throw AggregationError.unexpected("the test has no client \(client)") }
    return state
  }

  mutating func withState<Result>(
    _ client: Int, _ body: (inout SecureAggregationClient) throws -> Result
  ) throws -> Result {
    var state = try state(client)
    defer { clients[client] = state }
    return try body(&state)
  }

  private mutating func note(_ message: [UInt8]) -> [UInt8] {
    wire.append(message)
    servers.append(server)
    return message
  }
}
