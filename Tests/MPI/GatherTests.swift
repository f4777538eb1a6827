import Collectives
import Testing

extension RankTests {
  @Suite struct GatherTests {
    @Test func `Bytes of differing lengths, some none, in rank order`() {
      onEveryRank { world in
        // With factor 1, rank 0 has nothing; with −1, the last rank has nothing.
        for factor in [1, -1] {
          let bytes = { (rank: Int) in
            let length = (factor > 0 ? rank : world.size - 1 - rank) * 1000
            return (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + rank) }
          }
          let all = try world.gather(bytes(world.rank))
          #expect(all == (0..<world.size).map(bytes))
        }
      }
    }

    @Test func `Nothing from anybody`() {
      onEveryRank { world in
        let all = try world.gather([])
        #expect(all == Array(repeating: [], count: world.size))
      }
    }

    @Test func `A byte from one rank alone`() {
      onEveryRank { world in
        for only in 0..<world.size {
          let expected: [[UInt8]] = (0..<world.size).map { $0 == only ? [255] : [] }
          let all = try world.gather(world.rank == only ? [255] : [])
          #expect(all == expected)
        }
      }
    }
  }
}
