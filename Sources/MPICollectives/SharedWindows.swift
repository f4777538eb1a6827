internal import COpenMPI

import Collectives
import Tensors

/// Windows of memory that all ranks share, if they do. They last as long as the process, so nothing keeps their handles.
struct SharedWindows {
  /// In the first window; nil as long as there is none.
  var barrier: SharedBarrier?
  /// What MPI itself may come to use of a host's shared memory for each rank: the segment of its messages (vader), of which it
  /// fills more and more, and bookkeeping.
  private static let allowance = 4 << 20 + 1 << 16

  /// One buffer a rank, of so many floats each; nil where the ranks are on several hosts. Collective; nobody may use a buffer before
  /// a barrier by messages.
  mutating func allocate(_ counts: [Int], rank mine: Int) throws(CommunicationError) -> [Buffer<Float>]? {
    let host = try unsafe MPICalls.hostCommunicator()
    let size = counts.count
    guard try unsafe MPICalls.size(of: host) == size else { return nil }
    // With all ranks on one host, in the order of their world (the split's key is equal), host rank = rank.
    let header = SharedBarrier.floatCount
    // MPI's own error leaves the other ranks waiting and says nothing of the place.
    let needed = counts.reduce(0) { $0 + ($1 + header) * MemoryLayout<Float>.stride + Self.allowance }
    if mine == 0, let left = MPICalls.sharedMemoryLeft(), left < UInt64(needed) {
      throw CommunicationError(MPICalls.noSharedMemory)
    }
    // Whole cache lines, so that every rank's part begins at one.
    let window = try unsafe MPICalls.allocateShared((header + counts[mine] + 15) / 16 * 16, host)
    var parts: [UnsafeMutablePointer<Float>] = unsafe []
    var buffers: [Buffer<Float>] = []
    for rank in 0..<size {
      let (base, floats) = try unsafe MPICalls.sharedMemory(of: rank, window)
      guard let base = unsafe base else { return nil }
      unsafe parts.append(base)
      // MPI promises nothing about what is in a window.
      if rank == mine {
        try unsafe MPICalls.populate(base, floats)
        unsafe base.update(repeating: 0, count: floats)
      }
      unsafe buffers.append(Buffer(processMemory: base + header, count: counts[rank]))
    }
    if barrier == nil { barrier = unsafe SharedBarrier(parts, rank: mine) }
    return buffers
  }
}
