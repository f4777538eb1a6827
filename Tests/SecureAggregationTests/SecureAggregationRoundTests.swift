import Collectives
import Privacy
import SecureAggregation
import Tensors
import Testing

@Suite struct SecureAggregationRoundTests {
  static let clients = Array(stride(from: 2, to: 24, by: 2))
  static let dropouts: [Int: SecureAggregationRound.Dropout] = [
    2: .update, 6: .keys, 10: .update, 14: .unmasking, 20: .shares,
  ]

  private struct Outcome: Sendable {
    var clients: [Int]
    var levels: [UInt32]
    var weight: UInt32
    var mean: [Float]

    init(_ sum: AggregatedUpdate) {
      (clients, levels, weight, mean) = (sum.clients, sum.levels, sum.weight, sum.mean)
    }
  }

  private static func run(
    ranks: Int, source: RandomSource, dropouts: [Int: SecureAggregationRound.Dropout] = dropouts, spoiled: Int? = nil
  ) throws -> [Outcome] {
    try InProcessCommunicator.run(size: ranks) { communicator in
      try one(on: communicator, source: source, dropouts: dropouts, spoiled: spoiled)
    }
  }

  private static func one(
    on communicator: any Communicator, source: RandomSource, dropouts: [Int: SecureAggregationRound.Dropout],
    spoiled: Int?
  ) throws -> Outcome {
    let cohort = try Cohort(clients)
    let mine = clients.enumerated().filter { $0.offset % communicator.size == communicator.rank }.map(\.element)
    let round = SecureAggregationRound(cohort.setup, source: source, on: communicator)
    return Outcome(
      try round.sum(of: mine, dropouts: dropouts) { client in
        let update = cohort.update(client)
        if client == spoiled { update[17] = .nan }
        return (update, Cohort.samples(client))
      })
  }

  @Test func `The sum is the plain one of who is left, on every rank and at any number of them`() throws {
    let expected = Outcome(try Cohort(Self.clients).plainSum(of: [4, 8, 12, 14, 16, 18, 22]))
    var outcomes = [
      try Self.one(
        on: SoloCommunicator(), source: .secret(SecretKey()), dropouts: Self.dropouts, spoiled: nil)
    ]
    for ranks in 1...5 {
      outcomes += try Self.run(ranks: ranks, source: .reproducible(seed: 4))
      outcomes += try Self.run(ranks: ranks, source: .secret(SecretKey()))
    }
    // More ranks than clients.
    outcomes += try Self.run(ranks: 13, source: .reproducible(seed: 4))
    for outcome in outcomes {
      #expect(outcome.clients == expected.clients)
      #expect(outcome.levels == expected.levels)
      #expect(outcome.weight == expected.weight)
      #expect(outcome.mean == expected.mean)
    }
  }

  @Test func `An error on one rank is that of all`() throws {
    // Each rank notes what it throws, for the first that throws ends the job of threads.
    func errors(_ dropouts: [Int: SecureAggregationRound.Dropout], spoiled: Int?) throws -> [AggregationError?] {
      try InProcessCommunicator.run(size: 3) { communicator in
        do {
          _ = try Self.one(
            on: communicator, source: .reproducible(seed: 4), dropouts: dropouts, spoiled: spoiled)
          return nil
        } catch let error as AggregationError { return error }
      }
    }
    #expect(
      try errors([:], spoiled: 16)
        == [AggregationError?](
          repeating: .update("client 16 has an update whose value 17 is not finite"), count: 3))
    let gone = Dictionary(
      uniqueKeysWithValues: Self.clients.prefix(6).map { ($0, SecureAggregationRound.Dropout.update) })
    #expect(
      try errors(gone, spoiled: nil)
        == [AggregationError?](
          repeating: .tooFew("round 3: 5 of 11 clients are left, and 6 are needed to unmask the sum"), count: 3))
  }
}
