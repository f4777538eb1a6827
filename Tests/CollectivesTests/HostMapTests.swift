import Collectives
import Tensors
import Testing

@Suite struct HostMapTests {
  @Test func `Ranks of one colour are neighbours, hosts in the order of their first ranks`() {
    let hosts = HostMap(colours: [7, 3, 7, 3, 9])
    #expect(hosts.ranks == [[0, 2], [1, 3], [4]])
    #expect((0..<5).map(hosts.host) == [0, 1, 0, 1, 2])
    #expect((0..<5).map(hosts.neighbours) == [[0, 2], [1, 3], [0, 2], [1, 3], [4]])
    #expect(HostMap.apart(3).ranks == [[0], [1], [2]])
    #expect(HostMap.together(3).ranks == [[0, 1, 2]])
  }

  @Test func `Only neighbours share memory and wait for one another`() throws {
    let hosts = HostMap(colours: [0, 1, 0, 1, 1])
    let seen = try InProcessCommunicator.run(size: 5, hosts: hosts) { communicator in
      let buffers = try communicator.sharedBuffers(count: 2)
      let neighbours = hosts.neighbours(of: communicator.rank)
      buffers[neighbours.firstIndex(of: communicator.rank) ?? 0].fill(Float(communicator.rank + 1))
      // As often as the rank's host has ranks: the other host must not be waited for.
      for _ in neighbours { try communicator.hostBarrier() }
      return buffers.map { $0[1] }
    }
    #expect(seen == [[1, 3], [2, 4, 5], [1, 3], [2, 4, 5], [2, 4, 5]])
  }

  @Test func `A rank that fails frees those who wait for it on its host and elsewhere`() {
    struct Made: Error {}
    #expect(throws: Made.self) {
      try InProcessCommunicator.run(size: 4, hosts: HostMap(colours: [0, 0, 1, 1])) { communicator in
        if communicator.rank == 1 { throw Made() }
        if communicator.rank == 0 { try communicator.hostBarrier() }
        try communicator.barrier()
      }
    }
  }
}
