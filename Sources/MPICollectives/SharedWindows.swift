internal import COpenMPI

import Collectives
import Kernels
import Tensors

/// Windows of memory that the ranks of one host share. They last as long as the process, so nothing keeps their handles.
@safe
struct SharedWindows {
  /// In the first window; nil as long as there is none.
  var barrier: SharedBarrier?
  /// What MPI itself may come to use of a host's shared memory for each rank: the segment of its messages (vader), of which it
  /// fills more and more, and bookkeeping.
  private static let allowance = 4 << 20 + 1 << 16
  private let communicator: MPI_Comm?
  private let neighbours: [Int]
  private let place: Int

  /// For the ranks of one host of `hosts`, `rank` among them, whom `communicator` joins in their order.
  init(_ hosts: HostMap, rank: Int, communicator: MPI_Comm?) {
    neighbours = hosts.neighbours(of: rank)
    place = neighbours.firstIndex(of: rank) ?? 0
    unsafe self.communicator = communicator
  }

  /// One buffer a rank of this host, of so many floats for each rank of the world. Collective; nobody may use a buffer before a
  /// barrier by messages.
  mutating func allocate(_ counts: [Int]) throws(CommunicationError) -> [Buffer<Float>] {
    let header = SharedBarrier.floatCount
    // MPI's own error leaves the other ranks waiting and says nothing of the place.
    let needed = neighbours.reduce(0) {
      $0 + (counts[$1] + header) * MemoryLayout<Float>.stride + Self.allowance
    }
    if place == 0, let left = SharedMemory.bytesLeft(), left < UInt64(needed) {
      throw CommunicationError(SharedMemory.noRoom)
    }
    // The same goes for this rank's own space, into which all of them are mapped.
    guard availableAddressSpace >= needed else {
      throw CommunicationError(
        "the memory that ranks share takes \(megabytes(Double(needed))) of address space, of which "
          + "\(megabytes(Double(availableAddressSpace))) are left; raise the limit (ulimit -v), or do without shared memory (\(Setting.sharesMemory))"
      )
    }
    // Whole cache lines, so that every rank's part begins at one.
    let mine = (header + counts[neighbours[place]] + 15) / 16 * 16
    let window = try unsafe MPICalls.allocateShared(mine, communicator)
    var parts: [UnsafeMutablePointer<Float>] = unsafe []
    var buffers: [Buffer<Float>] = []
    for (place, neighbour) in neighbours.enumerated() {
      let (base, floats) = try unsafe MPICalls.sharedMemory(of: place, window)
      guard let base = unsafe base else { throw CommunicationError("MPI_Win_shared_query: no memory") }
      unsafe parts.append(base)
      // MPI promises nothing about what is in a window.
      if place == self.place {
        try unsafe SharedMemory.populate(base, floats)
        unsafe base.update(repeating: 0, count: floats)
      }
      unsafe buffers.append(Buffer(processMemory: base + header, count: counts[neighbour]))
    }
    if barrier == nil { barrier = unsafe SharedBarrier(parts, ranks: neighbours, place: place) }
    return buffers
  }
}
