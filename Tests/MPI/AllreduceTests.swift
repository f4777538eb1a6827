import Collectives
import Tensors
import Testing

extension RankTests {
  @Suite struct AllreduceTests {
    @Test func `Adds up over the ranks, of each length`() {
      onEveryRank { world in
        for count in [0, 1, 33, 300_000] {
          let buffer = Buffer((0..<count).map { Float(($0 % 1000) * (world.rank + 1)) })
          try world.allreduce(buffer)
          // Small integers: exact in any order.
          let ranks = world.size * (world.size + 1) / 2
          #expect(buffer.array == (0..<count).map { Float(($0 % 1000) * ranks) }, "\(count) floats")
        }
      }
    }
  }
}
