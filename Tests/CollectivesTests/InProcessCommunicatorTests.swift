import Collectives
import Tensors
import Testing

@Suite struct InProcessCommunicatorTests {
  static let sizes = [1, 2, 3, 4]

  @Test(arguments: sizes)
  func `run returns the results in rank order`(size: Int) throws {
    let ranks = try InProcessCommunicator.run(size: size) { [$0.rank, $0.size] }
    #expect(ranks == (0..<size).map { [$0, size] })
  }

  @Test(arguments: sizes)
  func `No rank leaves a barrier before all have come to it`(size: Int) throws {
    let rounds = 200
    let counters = (0..<rounds).map { _ in Counter() }
    let seen = try InProcessCommunicator.run(size: size) { communicator in
      try counters.map { counter in
        counter.increment()
        try communicator.barrier()
        return counter.value
      }
    }
    for rank in seen { #expect(rank == Array(repeating: size, count: rounds)) }
  }

  @Test(arguments: sizes)
  func `broadcast overwrites with the root's floats, from each root`(size: Int) throws {
    for root in 0..<size {
      for count in [0, 1, 17] {
        let held = try InProcessCommunicator.run(size: size) { communicator in
          let buffer = Buffer((0..<count).map { Float(communicator.rank * 100 + $0) })
          try communicator.broadcast(buffer, from: root)
          return buffer.array
        }
        for floats in held { #expect(floats == (0..<count).map { Float(root * 100 + $0) }) }
      }
    }
  }

  @Test(arguments: sizes)
  func `gather gives everybody the bytes of all, of whatever length`(size: Int) throws {
    let mine: @Sendable (Int) -> [UInt8] = { rank in [UInt8](repeating: UInt8(rank), count: rank * 3) }
    let all = try InProcessCommunicator.run(size: size) { try $0.gather(mine($0.rank)) }
    for gathered in all { #expect(gathered == (0..<size).map(mine)) }
  }

  @Test(arguments: sizes)
  func `exchange delivers ranges of differing lengths, several between a pair, in order`(size: Int) throws {
    // Rank r sends to rank q two messages of q + 1 floats each: r·100 + q·10, and the same plus one.
    let received = try InProcessCommunicator.run(size: size) { communicator in
      let rank = communicator.rank
      let peers = (0..<size).filter { $0 != rank }
      var plan = ExchangePlan()
      var source: [Float] = []
      for peer in peers {
        for message in 0..<2 {
          plan.sends.append(.init(peer: peer, range: source.count..<source.count + peer + 1))
          source += Array(repeating: Float(rank * 100 + peer * 10 + message), count: peer + 1)
        }
      }
      let destination = Buffer<Float>(count: peers.count * 2 * (rank + 1))
      for (index, peer) in peers.enumerated() {
        for message in 0..<2 {
          let start = (index * 2 + message) * (rank + 1)
          plan.receives.append(.init(peer: peer, range: start..<start + rank + 1))
        }
      }
      try communicator.exchange(plan, from: Buffer(source), into: destination)
      return destination.array
    }
    for rank in 0..<size {
      var expected: [Float] = []
      for peer in 0..<size where peer != rank {
        for message in 0..<2 { expected += Array(repeating: Float(peer * 100 + rank * 10 + message), count: rank + 1) }
      }
      #expect(received[rank] == expected)
    }
  }

  @Test(arguments: sizes)
  func `exchange can send from and receive into one buffer`(size: Int) throws {
    let held = try InProcessCommunicator.run(size: size) { communicator in
      let rank = communicator.rank
      let buffer = Buffer<Float>(count: size * 3)
      buffer[rank * 3..<rank * 3 + 3].fill(Float(rank + 1))
      var plan = ExchangePlan()
      for peer in 0..<size where peer != rank {
        plan.sends.append(.init(peer: peer, range: rank * 3..<rank * 3 + 3))
        plan.receives.append(.init(peer: peer, range: peer * 3..<peer * 3 + 3))
      }
      try communicator.exchange(plan, from: buffer, into: buffer)
      return buffer.array
    }
    for floats in held { #expect(floats == (0..<size * 3).map { Float($0 / 3 + 1) }) }
  }

  @Test(arguments: sizes)
  func `allreduce adds up over the ranks`(size: Int) throws {
    let sums = try InProcessCommunicator.run(size: size) { communicator in
      let buffer = Buffer((0..<33).map { Float($0 * (communicator.rank + 1)) })
      try communicator.allreduce(buffer)
      return buffer.array
    }
    // Small integers: exact in any order.
    for sum in sums { #expect(sum == (0..<33).map { Float($0 * size * (size + 1) / 2) }) }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [2, 3, 4])
  func `A rank that throws frees the others, and its error is the one thrown`(size: Int) {
    for failing in 0..<size {
      #expect(throws: Failure(rank: failing)) {
        try InProcessCommunicator.run(size: size) { communicator in
          try communicator.barrier()
          if communicator.rank == failing { throw Failure(rank: failing) }
          for _ in 0..<10 { try communicator.barrier() }
        }
      }
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [2, 3, 4])
  func `Every later collective of a failed world throws too`(size: Int) {
    // A rank that goes on after the first error must not wait for ever in the second.
    let refusals = Counter()
    #expect(throws: Failure(rank: size - 1)) {
      try InProcessCommunicator.run(size: size) { communicator in
        if communicator.rank == size - 1 { throw Failure(rank: size - 1) }
        for _ in 0..<5 {
          do { try communicator.barrier() } catch { refusals.increment() }
        }
      }
    }
    #expect(refusals.value == (size - 1) * 5)
  }

  @Test func `A rank that ends early is not waited for in vain by those whose error it causes`() {
    // Rank 1 sees the mismatch, so it fails, so rank 0 is freed from the exchange that it finds in order.
    #expect(throws: CommunicationError.self) {
      try InProcessCommunicator.run(size: 3) { communicator in
        var plan = ExchangePlan()
        if communicator.rank == 0 { plan.sends = [.init(peer: 1, range: 0..<4)] }
        if communicator.rank == 1 { plan.receives = [.init(peer: 0, range: 0..<3)] }
        let buffer = Buffer<Float>(count: 8)
        try communicator.exchange(plan, from: buffer, into: buffer)
        try communicator.barrier()
      }
    }
  }

  @Test func `An exchange in which one sends and nobody receives is an error, and so is the reverse`() {
    for plans in [
      [ExchangePlan(sends: [.init(peer: 1, range: 0..<4)]), ExchangePlan()],
      [ExchangePlan(), ExchangePlan(receives: [.init(peer: 0, range: 0..<4)])],
    ] {
      #expect(throws: CommunicationError.self) {
        try InProcessCommunicator.run(size: 2) { communicator in
          let buffer = Buffer<Float>(count: 8)
          try communicator.exchange(plans[communicator.rank], from: buffer, into: buffer)
        }
      }
    }
  }

  @Test func `An allreduce or broadcast of differing counts is an error`() {
    #expect(throws: CommunicationError.self) {
      try InProcessCommunicator.run(size: 3) { try $0.allreduce(Buffer<Float>(count: 4 + $0.rank)) }
    }
    #expect(throws: CommunicationError.self) {
      try InProcessCommunicator.run(size: 3) { try $0.broadcast(Buffer<Float>(count: 4 + $0.rank), from: 0) }
    }
  }

  private struct Failure: Error, Equatable {
    var rank: Int
  }
}
