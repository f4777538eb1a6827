import Collectives
import Glibc
import Tensors

/// The memory of a host that its ranks may share, asked of the system, as MPI says too little of it.
enum SharedMemory {
  /// How many bytes of memory the host can still give to be shared; nil where MPI will not put it into /dev/shm.
  static func bytesLeft() -> UInt64? {
    var status = statvfs()
    guard unsafe access("/dev/shm", W_OK) == 0, unsafe statvfs("/dev/shm", &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }

  /// Makes the pages of `floats` exist. Without room for them this is an error; a store would end the process (SIGBUS).
  static func populate(_ floats: UnsafeMutablePointer<Float>?, _ count: Int) throws(CommunicationError) {
    // Linux 5.14's MADV_POPULATE_WRITE; older kernels refuse it as invalid, and there the store is left to itself.
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let address = Int(bitPattern: floats)
    let start = address / page * page
    let length = address + count * MemoryLayout<Float>.stride - start
    guard length > 0, unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), length, 23) != 0, errno != EINVAL
    else { return }
    throw CommunicationError(noRoom)
  }

  /// Why there can be no window, and what to do.
  static let noRoom =
    "/dev/shm has no room for the gradients that ranks share; enlarge it, or do without shared memory (\(Setting.sharesMemory))"
}
