import Privacy
import SecureAggregation
import Testing

@Suite struct ExactSumTests {
  @Test(arguments: [2, 3, 4, 10, 33])
  func `Nobody drops out, and the sum is the plain one`(count: Int) throws {
    let clients = (0..<count).map { 3 * $0 + 1 }
    var cohort = try Cohort(clients)
    try expectEqual(try cohort.run(), try cohort.plainSum(of: clients))
  }

  @Test(arguments: Cohort.Dropout.allCases)
  func `A third drops out at one stage, and the sum is exactly that of the rest`(stage: Cohort.Dropout) throws {
    let clients = Array(0..<12)
    var cohort = try Cohort(clients)
    let gone = [1, 2, 7, 11]
    let result = try cohort.run(Dictionary(uniqueKeysWithValues: gone.map { ($0, stage) }))
    // Who goes after its update is in the sum.
    let rest = clients.filter { stage == .unmasking || !gone.contains($0) }
    try expectEqual(result, try cohort.plainSum(of: rest))
  }

  @Test func `Clients drop out at every stage of one round`() throws {
    let clients = Array(10..<23)
    var cohort = try Cohort(clients)
    let result = try cohort.run([10: .keys, 22: .keys, 12: .shares, 15: .update, 19: .update, 20: .unmasking])
    try expectEqual(result, try cohort.plainSum(of: [11, 13, 14, 16, 17, 18, 20, 21]))
  }

  @Test(arguments: [4, 6, 10])
  func `On a ring of neighbours too`(neighbours: Int) throws {
    let clients = Array(0..<25)
    var cohort = try Cohort(clients, neighbourCount: neighbours)
    for client in clients {
      let neighbours = cohort.setup.neighbours(of: client)
      #expect(Set(neighbours).count == cohort.setup.neighbourCount && !neighbours.contains(client))
      #expect(neighbours.allSatisfy { cohort.setup.neighbours(of: $0).contains(client) })
    }
    let gone: [Int: Cohort.Dropout] = [3: .update, 8: .keys, 17: .shares, 20: .unmasking]
    // No client may lose so many neighbours that its secrets are lost: the round then says so.
    do {
      let result = try cohort.run(neighbours > 4 ? gone : [3: .update])
      let rest = clients.filter { neighbours > 4 ? $0 == 20 || gone[$0] == nil : $0 != 3 }
      try expectEqual(result, try cohort.plainSum(of: rest))
    }
  }

  @Test func `The sum does not depend on the keys`() throws {
    let clients = [4, 9, 100, 4_000_000_000]
    var (seeded, secret) = (try Cohort(clients), try Cohort(clients, source: .secret(SecretKey())))
    let (first, second) = (try seeded.run([9: .update]), try secret.run([9: .update]))
    try expectEqual(first, second)
    try expectEqual(first, try seeded.plainSum(of: [4, 100, 4_000_000_000]))
    #expect(seeded.wire != secret.wire)
    var again = try Cohort(clients)
    _ = try again.run([9: .update])
    #expect(seeded.wire == again.wire, "a seed gives the same messages")
  }

  /// 1,023 clients at the upper end of the clip: the largest sum that there can be.
  @Test func `The largest sum fits`() throws {
    let setup = try AggregationSetup(round: 0, clients: Array(0..<1023), parameterCount: 1, roundingSeed: 0)
    let quantiser = UpdateQuantiser(setup)
    var sum = try quantiser.quantised([1e9], samples: 1000, client: 0)
    for client in 1..<1023 { sum.add(try quantiser.quantised([1e9], samples: 1000, client: client)) }
    let result = AggregatedUpdate(plain: sum, of: setup.clients)
    #expect(result.levels == [1023 << 22])
    #expect(result.mean == [8])
  }

  @Test func `Below the threshold a round ends with a clear error`() throws {
    let clients = Array(0..<9)
    let lines: [Cohort.Dropout: String] = [
      .keys: "round 3: 4 of 9 clients are left, and 5 are needed to share the secrets",
      .shares: "round 3: 4 of 9 clients are left, and 5 are needed to mask the updates",
      .update: "round 3: 4 of 9 clients are left, and 5 are needed to unmask the sum",
      .unmasking: "round 3: 4 of 9 clients are left, and 5 are needed to put the secrets together",
    ]
    for (stage, line) in lines {
      var cohort = try Cohort(clients)
      let gone = Dictionary(uniqueKeysWithValues: clients.prefix(5).map { ($0, stage) })
      #expect(throws: AggregationError.tooFew(line)) { try cohort.run(gone) }
      var more = try Cohort(clients)
      try expectEqual(
        try more.run(gone.filter { $0.key != 0 }),
        try more.plainSum(of: stage == .unmasking ? clients : [0, 5, 6, 7, 8]))
    }
  }

  private func expectEqual(_ result: AggregatedUpdate, _ expected: AggregatedUpdate) throws {
    #expect(result.clients == expected.clients)
    #expect(result.levels == expected.levels)
    #expect(result.weight == expected.weight)
    #expect(result.mean == expected.mean)
  }
}
