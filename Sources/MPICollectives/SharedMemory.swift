import Collectives
import Glibc
import Tensors

/// A host's memory for its ranks to share, asked from the system because MPI does not say how much there is.
enum SharedMemory {
  /// The bytes of shared memory that the host has left; nil if MPI cannot use /dev/shm.
  static func bytesLeft() -> UInt64? {
    var status = statvfs()
    guard unsafe access("/dev/shm", W_OK) == 0, unsafe statvfs("/dev/shm", &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }

  /// Allocates the pages of `floats`. Throws if there is no room for them; a store would end the process (SIGBUS).
  static func populate(_ floats: UnsafeMutablePointer<Float>?, _ count: Int) throws(CommunicationError) {
    // MADV_POPULATE_WRITE of Linux 5.14. Older kernels refuse it as invalid, and there nothing is checked.
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let address = Int(bitPattern: floats)
    let start = address / page * page
    let length = address + count * MemoryLayout<Float>.stride - start
    guard length > 0, unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), length, 23) != 0, errno != EINVAL
    else { return }
    throw CommunicationError(noRoom)
  }

  /// The error for a window that does not fit, with what to do.
  static let noRoom =
    "/dev/shm has no room for the gradients that ranks share; enlarge it, or do without shared memory (\(Setting.sharesMemory))"
}
