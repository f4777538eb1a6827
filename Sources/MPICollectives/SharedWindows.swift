internal import COpenMPI

import Collectives
import Kernels
import Tensors

/// Windows of memory that the ranks of one host share. They last as long as the process, so their handles are not kept.
@safe
struct SharedWindows {
  /// The barrier in the first window; nil until there is one.
  var barrier: SharedBarrier?
  /// The bytes of a host's shared memory that MPI itself may use for each rank in time: a segment for messages (vader),
  /// and bookkeeping.
  private static let allowance = 4 << 20 + 1 << 16
  private let communicator: MPI_Comm?
  private let neighbours: [Int]
  private let place: Int

  /// Windows of the ranks on the host of `rank`. `communicator` joins them in the order of the world.
  init(_ hosts: HostMap, rank: Int, communicator: MPI_Comm?) {
    neighbours = hosts.neighbours(of: rank)
    place = neighbours.firstIndex(of: rank) ?? 0
    unsafe self.communicator = communicator
  }

  /// A buffer of each rank of this host, in shared memory. `counts` are the floats of each rank of the world.
  ///
  /// Collective. No rank may use a buffer before a barrier by messages. Throws if there is not enough memory or address
  /// space.
  mutating func allocate(_ counts: [Int]) throws(CommunicationError) -> [Buffer<Float>] {
    let header = SharedBarrier.floatCount
    // Checked here, because MPI's own error does not name /dev/shm and leaves the other ranks waiting.
    let needed = neighbours.reduce(0) {
      $0 + (counts[$1] + header) * MemoryLayout<Float>.stride + Self.allowance
    }
    if place == 0, let left = SharedMemory.bytesLeft(), left < UInt64(needed) {
      throw CommunicationError(SharedMemory.noRoom)
    }
    // The same for this rank's address space, into which all parts are mapped.
    guard availableAddressSpace >= needed else {
      throw CommunicationError(
        "the memory that ranks share takes \(megabytes(Double(needed))) of address space, of which "
          + "\(megabytes(Double(availableAddressSpace))) are left; raise the limit (ulimit -v), or do without shared memory (\(Setting.sharesMemory))"
      )
    }
    // Whole cache lines, so that each rank's part begins with one.
    let mine = (header + counts[neighbours[place]] + 15) / 16 * 16
    let window = try unsafe MPICalls.allocateShared(mine, communicator)
    var parts: [UnsafeMutablePointer<Float>] = unsafe []
    var buffers: [Buffer<Float>] = []
    for (place, neighbour) in neighbours.enumerated() {
      let (base, floats) = try unsafe MPICalls.sharedMemory(of: place, window)
      guard let base = unsafe base else { throw CommunicationError("MPI_Win_shared_query: no memory") }
      unsafe parts.append(base)
      // MPI does not promise that a window is zero.
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
