import Privacy
import SecureAggregation
import Testing

@Suite struct RefusalTests {
  static let clients = Array(0..<6)

  /// A cohort whose clients 1 to 5 are asked to unmask: client 0 dropped out before it sent its update, and client 5 before it sent shares.
  private func masked() throws -> (cohort: Cohort, request: UnmaskRequest) {
    var cohort = try Cohort(Self.clients)
    let gone: [Int: Cohort.Dropout] = [0: .update, 5: .shares]
    let deliveries = try cohort.share(try cohort.advertise(gone), gone)
    let request = try cohort.mask(deliveries, gone)
    return (cohort, request)
  }

  @Test func `A client reveals one secret of each, and once`() throws {
    let (cohort, request) = try masked()
    #expect(request.survivors == [1, 2, 3, 4] && request.dropped == [0])
    func refusal(_ survivors: [Int], _ dropped: [Int], round: Int = 3) throws -> AggregationError? {
      var cohort = cohort
      do {
        _ = try cohort.withState(2) {
          try $0.revealedShares(for: UnmaskRequest(round: round, survivors: survivors, dropped: dropped))
        }
        return nil
      } catch let error as AggregationError { return error }
    }
    #expect(try refusal([1, 2, 3, 4], [0]) == nil)
    #expect(
      try refusal([1, 2, 3, 4], [0, 3]) == .refused("client 2 does not reveal both secrets of client 3"))
    #expect(try refusal([0, 1, 2, 3, 4], [0]) == .refused("client 2 does not reveal both secrets of client 0"))
    #expect(
      try refusal([0, 1, 3, 4], [2])
        == .refused("client 2 does not reveal its private key, since it has sent its update"))
    #expect(try refusal([1, 2, 3, 4], []) == .unexpected("client 2 is not told whether client 0 has dropped out"))
    #expect(
      try refusal([1, 2, 3, 4, 5], [0]) == .refused("client 2 has no mask with client 5 to be taken off"))
    #expect(
      try refusal([1, 2, 3, 4], [0, 5]) == .refused("client 2 has no mask with client 5 to be taken off"))
    #expect(
      try refusal([1, 2, 3], [0, 4])
        == .tooFew("round 3: 3 of 6 clients are left, and 4 are needed to unmask a sum"))
    #expect(
      try refusal([1, 2, 3, 4], [0], round: 4) == .unexpected("a message of round 4 arrived in round 3"))

    // After an answer, and after a refusal, no other question is answered.
    for first in [request, UnmaskRequest(round: 3, survivors: [1, 2, 3, 4], dropped: [0, 3])] {
      var cohort = cohort
      _ = try? cohort.withState(2) { try $0.revealedShares(for: first) }
      #expect(throws: AggregationError.refused("client 2 answers each stage of a round once")) {
        try cohort.withState(2) { try $0.revealedShares(for: request) }
      }
    }
  }

  /// A server that tells some clients that one is gone, and the others that it is there, gets one share of each client: it would need 2 t of them, and
  /// every setup has 2 t > n.
  @Test func `No threshold lets a lying server have both secrets`() throws {
    for count in 2...40 {
      let clients = Array(0..<count)
      let least = try AggregationSetup(round: 0, clients: clients, parameterCount: 1, roundingSeed: 0).threshold
      #expect(2 * least > count)
      for threshold in 0...count + 1 {
        let setup = try? AggregationSetup(
          round: 0, clients: clients, parameterCount: 1, threshold: threshold, roundingSeed: 0)
        #expect((setup != nil) == (2 * threshold > count && threshold <= count))
      }
      for neighbours in stride(from: 2, to: count - 1, by: 2) {
        let setup = try AggregationSetup(
          round: 0, clients: clients, parameterCount: 1, neighbourCount: neighbours, roundingSeed: 0)
        #expect(2 * setup.threshold > neighbours + 1)
      }
    }
  }

  @Test func `A setup that no round can have is refused with its reason`() {
    func reason(
      round: Int = 0, clients: [Int] = [1, 2, 3], count: Int = 5, neighbours: Int? = nil, threshold: Int? = nil,
      most: Int = 1000
    ) -> String? {
      do throws(AggregationError) {
        _ = try AggregationSetup(
          round: round, clients: clients, parameterCount: count, neighbourCount: neighbours, threshold: threshold,
          maximumWeight: most, roundingSeed: 0)
        return nil
      } catch { return error.description }
    }
    #expect(reason() == nil)
    #expect(reason(clients: [7]) == "a round of secure aggregation has 1 clients; it needs 2 to 1023")
    #expect(reason(clients: Array(0..<1024)) == "a round of secure aggregation has 1024 clients; it needs 2 to 1023")
    for clients in [[1, 1], [-1, 2], [1, 1 << 32]] {
      #expect(
        reason(clients: clients) == "the clients of a round are not different numbers from 0 to 4294967295")
    }
    #expect(reason(round: -1) == "round -1 is not from 0 to 4294967295")
    #expect(reason(count: 0) == "an update of 0 values cannot be summed")
    #expect(reason(neighbours: 1) == "1 neighbours of a client; an even number from 2 on, or all others")
    #expect(reason(threshold: 1) == "a threshold of 1 of 3 shares; it must be from 2 to 3")
    #expect(reason(most: 0) == "a largest weight of 0; it must be from 1 to 1048576")
  }

  @Test func `A forged ciphertext is refused`() throws {
    var cohort = try Cohort(Self.clients)
    let deliveries = try cohort.share(try cohort.advertise())
    let bytes = deliveries[2].encoded
    // Behind 13 bytes, each of the five entries has its sender and 144 bytes.
    for entry in 0..<5 {
      for place in [4, 80, 147] {
        var forged = bytes
        forged[13 + 148 * entry + place] ^= 1
        let sender = [0, 1, 3, 4, 5][entry]
        let delivery = try DeliveredShares(decoding: forged)
        var copy = cohort
        #expect(
          throws: AggregationError.forged(
            "client 2 was sent shares of client \(sender) that are not from it, or not for this round")
        ) { try copy.masked(delivery) }
      }
    }
    // Client 0's shares in the place of client 1's, and client 3's shares for client 4 in the place of those for client 2.
    var swapped = bytes
    swapped.replaceSubrange(13 + 148 + 4..<13 + 2 * 148, with: bytes[13 + 4..<13 + 148])
    var others = bytes
    others.replaceSubrange(
      13 + 2 * 148 + 4..<13 + 3 * 148, with: deliveries[4].encoded[13 + 3 * 148 + 4..<13 + 4 * 148])
    for forged in [swapped, others] {
      let delivery = try DeliveredShares(decoding: forged)
      var copy = cohort
      #expect {
        try copy.masked(delivery)
      } throws: {
        if case AggregationError.forged = $0 { true } else { false }
      }
    }
    // Shares for another client, and none at all.
    var copy = cohort
    #expect(throws: AggregationError.unexpected("client 2 was sent shares for client 3")) {
      try copy.withState(2) { try $0.maskedUpdate(try cohort.plain(2), delivered: deliveries[3]) }
    }
    let none = try DeliveredShares(decoding: Array(bytes[..<9]) + [0, 0, 0, 0])
    #expect(
      throws: AggregationError.tooFew("round 3: 1 of 6 clients are left, and 4 are needed to mask an update")
    ) { try copy.masked(none) }
    // The true ones are taken.
    _ = try cohort.masked(deliveries[2])
  }

  @Test func `A forged roster is refused`() throws {
    var cohort = try Cohort(Self.clients)
    let bytes = try cohort.advertise().encoded
    // Behind nine bytes, each of the six entries has a client, two keys and a commitment.
    func error(_ change: (inout [UInt8]) -> Void) throws -> AggregationError? {
      var (forged, copy) = (bytes, cohort)
      change(&forged)
      let roster = try KeyRoster(decoding: forged)
      do {
        _ = try copy.withState(2) { try $0.shares(for: roster) }
        return nil
      } catch let error as AggregationError { return error }
    }
    #expect(try error { _ in } == nil)
    #expect(try error { $0[9 + 200 + 4] ^= 1 } == .forged("client 2 was sent other keys as its own"))
    #expect(
      try error { $0.replaceSubrange(9 + 4..<9 + 36, with: $0[9 + 104..<9 + 136]) }
        == .forged("two of the keys that client 2 was sent are equal"))
    #expect(
      try error { $0.replaceSubrange(9 + 36..<9 + 68, with: [UInt8](repeating: 0, count: 32)) }
        == .forged("client 2 was sent a key of client 0 that agrees with nobody"))
    #expect(try error { $0[1] = 9 } == .unexpected("a message of round 9 arrived in round 3"))
    #expect(
      try error {
        $0[5] = 3
        $0.removeLast(300)
      } == .tooFew("round 3: 3 of 6 clients are left, and 4 are needed to share secrets"))
  }

  @Test func `A forged share spoils no sum in silence`() throws {
    let (cohort, request) = try masked()
    // Entries of 68 bytes behind 13: seeds of 1, 2, 3 and 4; behind four bytes more the key of 0.
    for (place, line) in [
      (13 + 10, "round 3: the shares of the seed of client 1 do not give it"),
      (13 + 2 * 68 + 4, "round 3: the shares of the seed of client 3 do not give it"),
      (13 + 4 * 68 + 4 + 30, "round 3: the shares of the mask key of client 0 do not give it"),
    ] {
      var copy = cohort
      for client in request.survivors {
        var message = try copy.withState(client) { try $0.revealedShares(for: request).encoded }
        if client == 3 { message[place] ^= 1 }
        try copy.server.receive(RevealedShares(decoding: message))
      }
      #expect(throws: AggregationError.forged(line)) { try copy.server.sum() }
    }
    var copy = cohort
    #expect(try copy.unmask(request).clients == [1, 2, 3, 4])
  }

  @Test func `The server takes each message once, in its stage, from who takes part`() throws {
    var (cohort, other) = (try Cohort(Self.clients), try Cohort([0, 1, 77], round: 3))
    let later = try Cohort(Self.clients, round: 4)
    let keys = try AdvertisedKeys(decoding: #require(cohort.clients[1]).advertisedKeys.encoded)
    #expect(throws: AggregationError.unexpected("round 3: client 77 does not take part, or has dropped out before")) {
      try cohort.server.receive(#require(other.clients[77]).advertisedKeys)
    }
    #expect(throws: AggregationError.unexpected("a message of round 4 arrived in round 3")) {
      try cohort.server.receive(#require(later.clients[0]).advertisedKeys)
    }
    try cohort.server.receive(keys)
    #expect(throws: AggregationError.unexpected("round 3: client 1 has sent the same message twice")) {
      try cohort.server.receive(keys)
    }
    #expect(throws: AggregationError.unexpected("round 3: clients advertise keys, and do not send masked updates")) {
      try cohort.server.unmaskRequest()
    }
    var (masked, request) = try masked()
    let shares = try masked.withState(1) { try $0.revealedShares(for: request) }
    try masked.server.receive(shares)
    #expect(throws: AggregationError.unexpected("round 3: client 1 has sent the same message twice")) {
      try masked.server.receive(shares)
    }
    #expect(throws: AggregationError.self) { try masked.server.receive(keys) }
    // An update that comes late, and one of other length, are not added.
    var late = try Cohort(Self.clients)
    let deliveries = try late.share(try late.advertise())
    let update = try late.masked(deliveries[0])
    var short = update.encoded
    short.removeLast(4)
    short[13] -= 1
    let shortUpdate = try MaskedUpdate(decoding: short)
    #expect(throws: AggregationError.unexpected("client 0 has sent an update of 300 words in the place of 301")) {
      try late.server.receive(shortUpdate)
    }
    try late.server.receive(update)
    #expect(throws: AggregationError.unexpected("round 3: client 0 has sent the same message twice")) {
      try late.server.receive(update)
    }
    #expect(throws: AggregationError.self) { try masked.server.receive(update) }
    #expect(throws: AggregationError.unexpected("client 9 does not take part in round 3")) {
      try SecureAggregationClient(client: 9, setup: late.setup, source: .reproducible(seed: 0))
    }
  }

  @Test func `A client tells no secret when it is printed`() throws {
    let client = try #require(Cohort(Self.clients).clients[1])
    var text = "\(client)"
    dump(client, to: &text)
    #expect(text.hasPrefix("client 1 in round 3") && !text.contains("Key") && !text.contains("seed"))
  }
}
