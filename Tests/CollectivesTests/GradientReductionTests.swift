import Collectives
import ReductionReference
import Tensors
import Testing

/// A way for ranks to meet: who shares memory, and whether owners finish their slices for all.
struct Way: Sendable, CustomStringConvertible {
  var hosts: HostMap
  var sharesMemory: Bool
  var finishesSlices: Bool

  var size: Int { hosts.ranks.reduce(0) { $0 + $1.count } }
  var description: String {
    "hosts \(hosts.ranks), \(sharesMemory ? "shared" : "apart"), \(finishesSlices ? "slices" : "whole")"
  }

  /// One host and several, even and not, in the order of ranks and dealt out in turn.
  static let all: [Way] =
    ([1, 2, 3, 4, 5, 8].map { HostMap.together($0) }
    + [[0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1], [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 1, 2, 0, 1]].map {
      HostMap(colours: $0)
    }).flatMap { hosts in
      [(false, false), (false, true), (true, false), (true, true)].map {
        Way(hosts: hosts, sharesMemory: $0, finishesSlices: $1)
      }
    }

  func run<Result: Sendable>(
    count: Int, microbatchCounts: Set<Int>, passMicrobatches: Int = 1,
    _ body: @escaping @Sendable (GradientReduction) throws -> Result
  ) throws -> [Result] {
    try InProcessCommunicator.run(size: size, hosts: hosts) { communicator in
      try body(
        GradientReduction(
          count: count, microbatchCounts: microbatchCounts, communicator: communicator, sharesMemory: sharesMemory,
          finishesSlices: finishesSlices, passMicrobatches: passMicrobatches))
    }
  }
}

@Suite struct GradientReductionTests {
  /// Floats of a gradient: around a cache line of 16, fewer than the ranks have cache lines, and enough for all.
  static let counts = [1, 15, 16, 17, 40, 331]

  @Test(arguments: 1...20)
  func `The sum has the tree's bits at any number of ranks`(leaves: Int) throws {
    for count in Self.counts {
      let batch = LeafGradients(leaves: leaves, count: count)
      let expected = bits(batch.treeSum)
      let solo = try GradientReduction(count: count, microbatchCounts: [leaves], communicator: SoloCommunicator())
      #expect(bits(try batch.reduce(with: solo).sum) == expected)
      for way in Way.all {
        let sums = try way.run(count: count, microbatchCounts: [leaves]) { try batch.reduce(with: $0).sum }
        #expect(sums.count == way.size)
        for (rank, sum) in sums.enumerated() {
          #expect(bits(sum) == expected, "rank \(rank), \(leaves) microbatches of \(count) floats, \(way)")
        }
      }
    }
  }

  @Test(arguments: [2, 4, 8])
  func `The bits do not tell how many microbatches a pass takes`(passMicrobatches: Int) throws {
    for leaves in 1...20 {
      let batch = LeafGradients(leaves: leaves, count: 40)
      for way in Way.all {
        let sums = try way.run(count: 40, microbatchCounts: [leaves], passMicrobatches: passMicrobatches) { reduction in
          let passes = reduction.plan(microbatches: leaves).contributions.map(\.microbatches)
          // Every node in one pass where it fits, and in as few as it can where not.
          #expect(passes.allSatisfy { 1...passMicrobatches ~= $0.count })
          #expect(way.size > 1 || passes.count == (leaves + passMicrobatches - 1) / passMicrobatches)
          return try batch.reduce(with: reduction).sum
        }
        for sum in sums { #expect(bits(sum) == bits(batch.treeSum), "\(leaves) microbatches, \(way)") }
      }
    }
  }

  /// Keeps the halves that a rank is shown.
  private final class Halves: HalvesReader {
    var shown: [(start: Int, left: [Float], right: [Float])] = []
    func read(_ left: Buffer<Float>, _ right: Buffer<Float>, from start: Int) {
      shown.append((start, left.array, right.array))
    }
  }

  @Test(arguments: [1, 2, 4])
  func `The halves are shown once, slice by slice, and the sum is the same`(passMicrobatches: Int) throws {
    for leaves in 1...20 {
      for count in [17, 331] {
        let batch = LeafGradients(leaves: leaves, count: count)
        let left = 1 << max(0, ReductionTree(leaves: leaves).root.level - 1)
        let halves = [batch.gradients.prefix(left), batch.gradients.dropFirst(left)].map {
          $0.isEmpty ? [] : LeafGradients(gradients: Array($0)).treeSum
        }
        // All ranks must hold a microbatch, as they do in a full batch.
        for way in Way.all where way.size <= leaves {
          let ranks = try way.run(
            count: count, microbatchCounts: [leaves], passMicrobatches: passMicrobatches
          ) { reduction in
            let reader = Halves()
            let sum = try batch.reduce(with: reduction, showing: reader).sum
            // Afterwards, one that shows nothing.
            return (sum: sum, shown: reader.shown, plain: try batch.reduce(with: reduction).sum)
          }
          var seen: [[Float?]] = [0, 1].map { _ in Array(repeating: nil, count: leaves > 1 ? count : 0) }
          for rank in ranks {
            #expect(bits(rank.sum) == bits(batch.treeSum) && bits(rank.plain) == bits(batch.treeSum))
            for (start, left, right) in rank.shown {
              for index in left.indices {
                #expect(seen[0][start + index] == nil, "float \(start + index) is shown twice")
                (seen[0][start + index], seen[1][start + index]) = (left[index], right[index])
              }
            }
          }
          if leaves > 1 {
            #expect(seen == halves.map { $0.map(Optional.init) }, "\(leaves) microbatches of \(count) floats, \(way)")
          }
        }
      }
    }
  }

  @Test func `A phase that is left out is a trap`() async {
    await #expect(processExitsWith: .failure) {
      let reduction = try GradientReduction(count: 16, microbatchCounts: [1], communicator: SoloCommunicator())
      _ = try reduction.sum(reduction.plan(microbatches: 1))
      _ = try reduction.sum(reduction.plan(microbatches: 1))
    }
    await #expect(processExitsWith: .failure) {
      let reduction = try GradientReduction(count: 16, microbatchCounts: [1], communicator: SoloCommunicator())
      _ = try reduction.agree(true)
    }
    await #expect(processExitsWith: .failure) {
      try GradientReduction(count: 16, microbatchCounts: [1], communicator: SoloCommunicator()).spread()
    }
    await #expect(processExitsWith: .failure) {
      let reduction = try GradientReduction(count: 16, microbatchCounts: [1], communicator: SoloCommunicator())
      _ = try reduction.sum(reduction.plan(microbatches: 1))
      _ = reduction.awaitedTotal
    }
  }

  @Test func `What is made of the sum reaches every rank, whoever makes it`() throws {
    for count in Self.counts {
      let batch = LeafGradients(leaves: 11, count: count)
      let expected = bits(batch.treeSum.map { $0 * 2 })
      // As in a step, the last floats are sums that nothing is made of.
      let makes = max(1, count - 16)
      for way in Way.all {
        for shows in [false, true] {
          let results = try way.run(count: count, microbatchCounts: [11]) { reduction in
            let made = Buffer<Float>(count: makes)
            // Three times: what was made of the last sum must not be taken for a part of the next.
            return try (0..<3).map { _ in
              made.fill(0)
              let sum = try batch.reduce(
                with: reduction, making: made, inspect: shows ? { _, _ in true } : nil, awaiting: .nothing,
                shows: shows,
                finish: { total, part, _ in
                  for index in part.clamped(to: 0..<makes) { made[index] = total[index] * 2 }
                }
              ).sum
              return made.array + sum[makes...].map { $0 * 2 }
            }
          }
          for rank in results {
            for result in rank { #expect(bits(result) == expected, "\(count) floats, \(way), shows \(shows)") }
          }
        }
      }
    }
  }

  @Test func `Nobody shows results where others still read the sum, or nothing is copied`() throws {
    let batch = LeafGradients(leaves: 4, count: 64)
    for (size, awaited, shows) in [(1, .nothing, false), (2, .nothing, true), (2, .opinions, true), (2, .total, false)]
      as [(Int, GradientReduction.Awaited, Bool)]
    {
      let places = try InProcessCommunicator.run(size: size) { communicator in
        let reduction = try GradientReduction(
          count: 64, microbatchCounts: [4], communicator: communicator, sharesMemory: true)
        var places = [reduction.shownResults]
        _ = try batch.reduce(
          with: reduction, making: Buffer(count: 64), inspect: { _, _ in true }, awaiting: awaited,
          measure: awaited == .total ? { _ in } : nil, finish: { _, _, _ in places.append(reduction.shownResults) })
        return places.map { $0 != nil }
      }
      #expect(places == Array(repeating: [false, shows], count: size), "\(awaited) on \(size)")
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
    for way in Way.all {
      let sums = try way.run(count: count, microbatchCounts: Set(batches.map(\.gradients.count))) { reduction in
        try batches.map { try $0.reduce(with: reduction).sum }
      }
      for sum in sums { #expect(sum.map(bits) == batches.map { bits($0.treeSum) }, "\(way)") }
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
          return try batch.reduce(with: reduction).sum
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
    let ways = Way.all.map { ($0, ReductionMethod.lockstep) } + [(Way.all[0], .mpi), (Way.all[4], .mpi)]
    for (way, method) in ways {
      // Where there is nothing to find, and where there is, in any element's place.
      for place in [nil, 0, 160, count - 1] {
        let told = try InProcessCommunicator.run(size: way.size, hosts: way.hosts) { communicator in
          let reduction = try GradientReduction(
            count: count, microbatchCounts: [leaves], communicator: communicator, method: method,
            sharesMemory: way.sharesMemory, finishesSlices: way.finishesSlices)
          let made = Buffer<Float>(count: count)
          var told: [(isGood: Bool, totalIsThere: Bool)] = []
          // Twice, for an opinion must not outlive its step.
          for place in [place, nil] {
            let inspect = { (_: Buffer<Float>, part: Range<Int>) in place.map { !part.contains($0) } ?? true }
            var totalIsThere = false
            _ = try batch.reduce(
              with: reduction, making: made, inspect: inspect,
              measure: { total in totalIsThere = method == .mpi || bits(total.array) == sum },
              finish: { _, part, isGood in
                // What the slowest rank measures, the fastest must not have written over.
                made[part].fill(.nan)
                told.append((isGood, totalIsThere))
              })
            // Without a measurement too.
            _ = try batch.reduce(
              with: reduction, making: made, inspect: inspect,
              finish: { _, _, isGood in told.append((isGood, true)) })
            // And where nobody waits, in the end.
            let isGood = try batch.reduce(with: reduction, making: made, inspect: inspect, awaiting: .nothing).isGood
            told.append((isGood, true))
          }
          return told
        }
        for rank in told {
          #expect(rank.map { $0.isGood } == Array(repeating: place == nil, count: 3) + [true, true, true], "\(way)")
          #expect(rank.allSatisfy { $0.totalIsThere }, "\(way)")
        }
      }
    }
  }

  @Test func `Each rank knows whether its part is finite`() throws {
    let count = 331
    // One microbatch too: then a rank has the whole sum, and nothing to add.
    for leaves in [1, 2, 3, 13] {
      for (place, value) in [(nil, 0), (0, .nan), (160, .infinity), (count - 1, -.infinity)] as [(Int?, Float)] {
        var gradients = LeafGradients(leaves: leaves, count: count).gradients
        if let place { gradients[leaves - 1][place] = value }
        let batch = LeafGradients(gradients: gradients)
        for way in Way.all {
          let found = try way.run(count: count, microbatchCounts: [leaves]) { try batch.reduce(with: $0).partIsFinite }
          #expect(found.contains(false) == (place != nil), "\(leaves) microbatches, \(way)")
        }
      }
    }
  }

  @Test(arguments: [2, 4, 8])
  func `With 2ᵏ ranks a rank sends and receives as much as in a ring`(ranks: Int) throws {
    // As the type's documentation promises: 2n(p − 1)/p floats in 2(p − 1) messages, each way.
    let count = ranks * 16 * 3
    let batch = LeafGradients(leaves: 16, count: count)
    for rank in try traffic(.together(ranks), batch, sharesMemory: false) {
      let (floats, messages) = (2 * count * (ranks - 1) / ranks, 2 * (ranks - 1))
      #expect(rank == [floats, floats, messages, messages])
    }
  }

  @Test func `Between hosts goes what a ring of hosts moves, whatever the ranks on each`() throws {
    // As the type's documentation promises: 2n(h − 1)/p floats in 2(h − 1) messages a rank, each way.
    for (hosts, size) in [(2, 2), (2, 4), (4, 2)] {
      let ranks = hosts * size
      let count = ranks * 16 * 3
      let map = HostMap(colours: (0..<ranks).map { $0 / size })
      for rank in try traffic(map, LeafGradients(leaves: 16, count: count), sharesMemory: true) {
        let (floats, messages) = (2 * count * (hosts - 1) / ranks, 2 * (hosts - 1))
        #expect(rank == [floats, floats, messages, messages], "\(hosts) hosts of \(size)")
      }
    }
  }

  @Test func `Ranks of one host send nothing`() throws {
    for rank in try traffic(.together(4), LeafGradients(leaves: 16, count: 500), sharesMemory: true) {
      #expect(rank == [0, 0, 0, 0])
    }
  }

  /// What each rank sends and receives in one reduction: floats out and in, messages out and in.
  private func traffic(_ hosts: HostMap, _ batch: LeafGradients, sharesMemory: Bool) throws -> [[Int]] {
    let size = hosts.ranks.reduce(0) { $0 + $1.count }
    return try InProcessCommunicator.run(size: size, hosts: hosts) { communicator in
      let counting = CountingCommunicator(communicator)
      let reduction = try GradientReduction(
        count: batch.count, microbatchCounts: [batch.gradients.count], communicator: counting,
        sharesMemory: sharesMemory)
      _ = try batch.reduce(with: reduction).sum
      return [counting.floatsSent, counting.floatsReceived, counting.messagesSent, counting.messagesReceived]
    }
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
  var hosts: HostMap { inner.hosts }
  func barrier() throws(CommunicationError) { try inner.barrier() }
  func hostBarrier() throws(CommunicationError) { try inner.hostBarrier() }
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
  func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>] {
    try inner.sharedBuffers(count: count)
  }
  func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError) { try inner.allreduce(buffer) }
}
