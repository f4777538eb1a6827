import Collectives
import ReductionReference
import Tensors
import Testing

@Suite struct GradientReductionTests {
  /// Floats of a gradient: around a cache line of 16, fewer than the ranks have cache lines, and enough for all.
  static let counts = [1, 15, 16, 17, 40, 331]

  @Test(arguments: 1...20)
  func `The sum has the tree's bits at any number of ranks`(leaves: Int) throws {
    for count in Self.counts {
      let batch = LeafGradients(leaves: leaves, count: count)
      let expected = bits(batch.treeSum)
      let solo = try GradientReduction(count: count, microbatchCounts: [leaves], communicator: SoloCommunicator())
      #expect(bits(try batch.reduce(with: solo)) == expected)
      for (ranks, sharesMemory) in [1, 2, 3, 4, 5, 8].flatMap({ [($0, false), ($0, true)] }) {
        let sums = try InProcessCommunicator.run(size: ranks) { communicator in
          let reduction = try GradientReduction(
            count: count, microbatchCounts: [leaves], communicator: communicator, sharesMemory: sharesMemory)
          return try batch.reduce(with: reduction)
        }
        #expect(sums.count == ranks)
        for (rank, sum) in sums.enumerated() {
          #expect(
            bits(sum) == expected,
            "rank \(rank) of \(ranks), \(leaves) microbatches of \(count) floats, shared: \(sharesMemory)")
        }
      }
    }
  }

  @Test func `The gradients can tell one order of addition from another`() {
    // Were this not so, the test above could not fail.
    for leaves in 3...20 {
      let batch = LeafGradients(leaves: leaves, count: 64)
      let inOrder = batch.gradients.dropFirst().reduce(batch.gradients[0]) { zip($0, $1).map { $0 + $1 } }
      // Not reversed: with 2ᵏ leaves that swaps operands only, and addition commutes.
      let rotated = LeafGradients(gradients: Array(batch.gradients.dropFirst()) + batch.gradients.prefix(1)).treeSum
      // Three leaves in order are the tree.
      if leaves > 3 { #expect(bits(inOrder) != bits(batch.treeSum)) }
      #expect(bits(rotated) != bits(batch.treeSum))
    }
  }

  @Test func `One reduction serves full and short batches in turn, over and over`() throws {
    let count = 100
    let batches = [13, 13, 4, 1, 13, 2, 4].enumerated().map {
      LeafGradients(leaves: $1, count: count, seed: UInt64($0 + 5))
    }
    for (ranks, sharesMemory) in [1, 2, 3, 4, 5, 8].flatMap({ [($0, false), ($0, true)] }) {
      let sums = try InProcessCommunicator.run(size: ranks) { communicator in
        let reduction = try GradientReduction(
          count: count, microbatchCounts: Set(batches.map(\.gradients.count)), communicator: communicator,
          sharesMemory: sharesMemory)
        return try batches.map { try $0.reduce(with: reduction) }
      }
      for sum in sums { #expect(sum.map(bits) == batches.map { bits($0.treeSum) }, "\(ranks) ranks") }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8])
  func `With the MPI method the sum is right to rounding, on every rank the same`(ranks: Int) throws {
    for leaves in [1, 2, 3, 7, 8, 20] {
      for count in Self.counts {
        let batch = LeafGradients(leaves: leaves, count: count)
        let sums = try InProcessCommunicator.run(size: ranks) { communicator in
          let reduction = try GradientReduction(
            count: count, microbatchCounts: [leaves], communicator: communicator, method: .mpi)
          return try batch.reduce(with: reduction)
        }
        #expect(Set(sums.map(bits)).count == 1)
        #expect(batch.error(of: sums[0]) <= 1, "\(leaves) microbatches of \(count) floats")
      }
    }
  }

  @Test func `What one rank finds in its part, all are told before they finish theirs`() throws {
    let (count, leaves) = (331, 13)
    let batch = LeafGradients(leaves: leaves, count: count)
    let sum = bits(batch.treeSum)
    for (ranks, sharesMemory, method) in [1, 2, 3, 4, 5, 8].flatMap({
      [($0, false, ReductionMethod.lockstep), ($0, true, .lockstep), ($0, false, .mpi)]
    }) {
      // Where there is nothing to find, and where there is, in any element's place.
      for place in [nil, 0, 160, count - 1] {
        let told = try InProcessCommunicator.run(size: ranks) { communicator in
          let reduction = try GradientReduction(
            count: count, microbatchCounts: [leaves], communicator: communicator, method: method,
            sharesMemory: sharesMemory)
          var told: [(isGood: Bool, totalIsThere: Bool)] = []
          // Twice, for an opinion must not outlive its step.
          for place in [place, nil] {
            _ = try batch.reduce(
              with: reduction, inspect: { _, part in place.map { !part.contains($0) } ?? true },
              finish: { total, _, isGood in
                told.append((isGood, method == .mpi || bits(total.array) == sum))
              })
          }
          return told
        }
        for rank in told {
          #expect(rank.map { $0.isGood } == [place == nil, true], "\(ranks) ranks, shared: \(sharesMemory)")
          #expect(rank.allSatisfy { $0.totalIsThere })
        }
      }
    }
  }

  @Test(arguments: [2, 4, 8])
  func `With 2ᵏ ranks a rank sends and receives as much as in a ring`(ranks: Int) throws {
    // As the type's documentation promises: 2n(p − 1)/p floats in 2(p − 1) messages, each way.
    let count = ranks * 16 * 3
    let batch = LeafGradients(leaves: 16, count: count)
    let traffic = try InProcessCommunicator.run(size: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      let reduction = try GradientReduction(count: count, microbatchCounts: [16], communicator: counting)
      _ = try batch.reduce(with: reduction)
      return [counting.floatsSent, counting.floatsReceived, counting.messagesSent, counting.messagesReceived]
    }
    let floats = 2 * count * (ranks - 1) / ranks
    let messages = 2 * (ranks - 1)
    for rank in traffic { #expect(rank == [floats, floats, messages, messages]) }
  }
}

/// Passes every call on and counts what the exchanges move.
private final class CountingCommunicator: Communicator {
  private let inner: any Communicator
  private(set) var floatsSent = 0
  private(set) var floatsReceived = 0
  private(set) var messagesSent = 0
  private(set) var messagesReceived = 0

  init(_ inner: any Communicator) { self.inner = inner }

  var rank: Int { inner.rank }
  var size: Int { inner.size }
  func barrier() throws(CommunicationError) { try inner.barrier() }
  func broadcast(_ buffer: Buffer<Float>, from root: Int) throws(CommunicationError) {
    try inner.broadcast(buffer, from: root)
  }
  func gather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] { try inner.gather(bytes) }
  func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError) {
    floatsSent += plan.sends.reduce(0) { $0 + $1.range.count }
    floatsReceived += plan.receives.reduce(0) { $0 + $1.range.count }
    messagesSent += plan.sends.count
    messagesReceived += plan.receives.count
    try inner.exchange(plan, from: source, into: destination)
  }
  func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>]? {
    try inner.sharedBuffers(count: count)
  }
  func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError) { try inner.allreduce(buffer) }
}
