internal import COpenMPI

import Collectives
import Tensors

/// The windows of shared memory that this process has, of all ranks or of none.
@safe
struct SharedWindows {
  private var windows: [MPI_Win?] = unsafe []

  /// One buffer a rank, this one's of `count` floats; nil where the ranks are on several hosts. Collective.
  mutating func allocate(_ count: Int, for size: Int, rank mine: Int) throws(CommunicationError) -> [Buffer<Float>]? {
    let host = try unsafe MPICalls.hostCommunicator()
    guard try unsafe MPICalls.size(of: host) == size else { return nil }
    // With all ranks on one host, in the order of their world (the split's key is equal), host rank = rank.
    let window = try unsafe MPICalls.allocateShared(count, host)
    unsafe windows.append(window)
    var buffers: [Buffer<Float>] = []
    for rank in 0..<size {
      let (base, count) = try unsafe MPICalls.sharedMemory(of: rank, window)
      guard let base = unsafe base else { return nil }
      unsafe buffers.append(Buffer(processMemory: base, count: count))
    }
    // MPI promises nothing about what is in a window.
    buffers[mine].fill(0)
    return buffers
  }

  /// Orders this rank's loads and stores of every window with those before and after a barrier.
  func synchronise() throws(CommunicationError) {
    for index in unsafe windows.indices { try unsafe MPICalls.synchronise(windows[index]) }
  }
}
