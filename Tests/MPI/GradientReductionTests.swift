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
            let sum = bits(try batch.reduce(with: reduction))
            #expect(sum == bits(batch.treeSum), "\(leaves) microbatches of \(count) floats")
            let threads = try InProcessCommunicator.run(size: world.size) { thread in
              let reduction = try GradientReduction(count: count, microbatchCounts: [leaves], communicator: thread)
              return bits(try batch.reduce(with: reduction))
            }
            #expect(threads.allSatisfy { $0 == sum })
          }
        }
      }
    }

    @Test func `One reduction serves full and short batches in turn`() { takeTurns(sharesMemory: false) }

    @Test func `One reduction serves them in shared memory too`() { takeTurns(sharesMemory: true) }

    private func takeTurns(sharesMemory: Bool) {
      onEveryRank { world in
        let batches = [8, 8, 3, 1, 8].enumerated().map {
          LeafGradients(leaves: $1, count: 5000, seed: UInt64($0 + 5))
        }
        let reduction = try GradientReduction(
          count: 5000, microbatchCounts: [8, 3, 1], communicator: world, sharesMemory: sharesMemory)
        for _ in 0..<20 {
          for batch in batches {
            let sum = try batch.reduce(with: reduction)
            #expect(bits(sum) == bits(batch.treeSum))
          }
        }
      }
    }

    @Test func `Ranks of one host share memory`() {
      onEveryRank { world in
        let buffers = try #require(try world.sharedBuffers(count: 1000 + world.rank))
        #expect(buffers.map(\.count) == (0..<world.size).map { 1000 + $0 })
        #expect(buffers.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
        try world.barrier()
        buffers[world.rank].fill(Float(world.rank + 1))
        try world.barrier()
        for rank in 0..<world.size { #expect(buffers[rank].array.allSatisfy { $0 == Float(rank + 1) }) }
        try world.barrier()
      }
    }

    @Test func `With the MPI method the sum is right to rounding, on every rank the same`() {
      onEveryRank { world in
        for leaves in [1, 3, 8, 20] {
          let batch = LeafGradients(leaves: leaves, count: 1003)
          let reduction = try GradientReduction(
            count: 1003, microbatchCounts: [leaves], communicator: world, method: .mpi)
          let sum = try batch.reduce(with: reduction)
          #expect(batch.error(of: sum) <= 1)
          let all = try world.gather(
            bits(sum).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
          #expect(all.allSatisfy { $0 == all[0] })
        }
      }
    }
  }
}
