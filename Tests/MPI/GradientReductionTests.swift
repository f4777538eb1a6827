import Collectives
import MPICollectives
import ReductionReference
import Testing

extension RankTests {
  @Suite struct GradientReductionTests {
    @Test func `The sum has the bits of the tree and of threads, whatever the number of ranks`() {
      onEveryRank { world in
        // The last is about the article's network: its slices are large enough to be announced before they are sent.
        for (count, leaves) in [(1, 1...9), (17, 1...20), (1003, 1...20), (60_000, 7...9)] {
          for leaves in leaves {
            let batch = LeafGradients(leaves: leaves, count: count)
            let reduction = try GradientReduction(count: count, microbatchCounts: [leaves], communicator: world)
            let sum = bits(try batch.reduce(with: reduction).sum)
            #expect(sum == bits(batch.treeSum), "\(leaves) microbatches of \(count) floats")
            let threads = try InProcessCommunicator.run(size: world.size) { thread in
              let reduction = try GradientReduction(count: count, microbatchCounts: [leaves], communicator: thread)
              return bits(try batch.reduce(with: reduction).sum)
            }
            #expect(threads.allSatisfy { $0 == sum })
          }
        }
      }
    }

    @Test func `One reduction serves full and short batches in turn, whoever shares memory and finishes`() {
      onEveryRank { world in
        let batches = [8, 8, 3, 1, 8].enumerated().map {
          LeafGradients(leaves: $1, count: 5000, seed: UInt64($0 + 5))
        }
        for hosts in hostMaps(world.size) {
          let world = try MPICommunicator(patience: .seconds(60), hosts: hosts)
          for (sharesMemory, finishesSlices) in [(false, false), (false, true), (true, false), (true, true)] {
            let reduction = try GradientReduction(
              count: 5000, microbatchCounts: [8, 3, 1], communicator: world, sharesMemory: sharesMemory,
              finishesSlices: finishesSlices)
            for _ in 0..<5 {
              for batch in batches {
                let sum = try batch.reduce(with: reduction).sum
                #expect(bits(sum) == bits(batch.treeSum), "\(hosts.ranks), shared: \(sharesMemory)")
              }
            }
          }
        }
      }
    }

    @Test func `Between hosts, large slices too`() {
      onEveryRank { world in
        // Announced before they are sent, and longer than a cache.
        let batch = LeafGradients(leaves: 8, count: 600_000)
        for hosts in hostMaps(world.size) {
          let world = try MPICommunicator(patience: .seconds(60), hosts: hosts)
          let reduction = try GradientReduction(
            count: batch.count, microbatchCounts: [8], communicator: world, sharesMemory: true, finishesSlices: true)
          for _ in 0..<2 {
            #expect(bits(try batch.reduce(with: reduction).sum) == bits(batch.treeSum), "\(hosts.ranks)")
          }
        }
      }
    }

    /// This machine's ranks as one host, as two even ones, as one rank and the rest, and dealt out in turn.
    private func hostMaps(_ size: Int) -> [HostMap] {
      [
        .together(size), HostMap(colours: (0..<size).map { $0 * 2 / size }),
        HostMap(colours: (0..<size).map { min($0, 1) }), HostMap(colours: (0..<size).map { $0 % 2 }),
      ]
    }

    @Test func `Ranks of one host share memory`() {
      onEveryRank { world in
        #expect(world.hosts == .together(world.size))
        let buffers = try world.sharedBuffers(count: 1000 + world.rank)
        #expect(buffers.map(\.count) == (0..<world.size).map { 1000 + $0 })
        #expect(buffers.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
        try world.hostBarrier()
        buffers[world.rank].fill(Float(world.rank + 1))
        try world.hostBarrier()
        for rank in 0..<world.size { #expect(buffers[rank].array.allSatisfy { $0 == Float(rank + 1) }) }
        try world.hostBarrier()
      }
    }

    @Test func `With the MPI method the sum is right to rounding, on every rank the same`() {
      onEveryRank { world in
        for leaves in [1, 3, 8, 20] {
          let batch = LeafGradients(leaves: leaves, count: 1003)
          let reduction = try GradientReduction(
            count: 1003, microbatchCounts: [leaves], communicator: world, method: .mpi)
          let sum = try batch.reduce(with: reduction).sum
          #expect(batch.error(of: sum) <= 1)
          let all = try world.gather(
            bits(sum).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
          #expect(all.allSatisfy { $0 == all[0] })
        }
      }
    }
  }
}
