import Collectives
import Tensors
import Testing

extension RankTests {
  @Suite struct BroadcastTests {
    @Test func `From each root, of each length`() {
      onEveryRank { world in
        for root in 0..<world.size {
          // 300,000 floats are cut into segments and sent by another algorithm than 17.
          for count in [0, 1, 17, 300_000] {
            let buffer = Buffer((0..<count).map { Float(world.rank * 1000 + $0) })
            try world.broadcast(buffer, from: root)
            #expect(buffer.array == (0..<count).map { Float(root * 1000 + $0) }, "\(count) floats from \(root)")
          }
        }
      }
    }

    @Test func `Every bit pattern arrives as it was`() {
      onEveryRank { world in
        let patterns: [Float] = [
          -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
          Float(bitPattern: 0x7FC0_1234), Float(bitPattern: 0xFF80_0001),
        ]
        let buffer = world.rank == 0 ? Buffer(patterns) : Buffer(count: patterns.count)
        try world.broadcast(buffer, from: 0)
        #expect(buffer.array.map(\.bitPattern) == patterns.map(\.bitPattern))
      }
    }
  }
}
