import Collectives
import Tensors
import Testing

extension RankTests {
  @Suite struct ExchangeTests {
    @Test func `Several messages of differing lengths between each pair, in order`() {
      onEveryRank { world in
        // 70,000 floats are announced before they are sent, 3 go at once: between a pair, order must hold all the same.
        let lengths = [70_000, 3, 0, 500]
        let total = lengths.reduce(0, +)
        let peers = (0..<world.size).filter { $0 != world.rank }
        var plan = ExchangePlan()
        let source = Buffer<Float>(count: total * peers.count)
        let destination = Buffer<Float>(count: total * peers.count)
        var start = 0
        for peer in peers {
          for (message, length) in lengths.enumerated() {
            let range = start..<start + length
            plan.sends.append(.init(peer: peer, range: range))
            plan.receives.append(.init(peer: peer, range: range))
            source[range].fill(Float(world.rank * 100 + peer * 10 + message))
            start += length
          }
        }
        // Twice: a plan is used every step.
        for _ in 0..<2 {
          destination.fill(-1)
          try world.exchange(plan, from: source, into: destination)
          let expected = peers.flatMap { peer in
            lengths.enumerated().flatMap {
              Array(repeating: Float(peer * 100 + world.rank * 10 + $0.offset), count: $0.element)
            }
          }
          #expect(destination.array == expected)
        }
      }
    }

    @Test func `From and into one buffer`() {
      onEveryRank { world in
        let length = 40_000
        let buffer = Buffer<Float>(count: world.size * length)
        let mine = world.rank * length..<(world.rank + 1) * length
        buffer[mine].fill(Float(world.rank + 1))
        var plan = ExchangePlan()
        for peer in 0..<world.size where peer != world.rank {
          plan.sends.append(.init(peer: peer, range: mine))
          plan.receives.append(.init(peer: peer, range: peer * length..<(peer + 1) * length))
        }
        try world.exchange(plan, from: buffer, into: buffer)
        for rank in 0..<world.size {
          #expect(buffer[rank * length..<(rank + 1) * length].array.allSatisfy { $0 == Float(rank + 1) })
        }
      }
    }

    @Test func `A chain in which the end ranks only send or only receive`() {
      onEveryRank { world in
        var plan = ExchangePlan()
        if world.rank + 1 < world.size { plan.sends.append(.init(peer: world.rank + 1, range: 0..<5)) }
        if world.rank > 0 { plan.receives.append(.init(peer: world.rank - 1, range: 2..<7)) }
        let destination = Buffer<Float>(count: 8)
        try world.exchange(plan, from: Buffer(Array(repeating: Float(world.rank + 1), count: 5)), into: destination)
        let value = Float(world.rank)
        #expect(destination.array == [0, 0, value, value, value, value, value, 0])
      }
    }
  }
}
