import Glibc
import Synchronization

/// The board on which each rank of a host shows where it is: a mapped file, so that the others can read it without the
/// rank's help and before MPI has started.
@safe
final class JobBoard: @unchecked Sendable {
  /// The size of a rank's part: a cache line, which only that rank writes.
  private static let lineBytes = 64

  private let memory: UnsafeMutableRawPointer
  private let size: Int
  /// Whether the ranks of the host see one another on it.
  let isShared: Bool

  /// A board for a world of `size` ranks. If `path` is nil or cannot be mapped, this rank alone sees it.
  init(path: String?, size: Int) {
    self.size = size
    // One more line for the whole job.
    let bytes = (size + 1) * Self.lineBytes
    let shared = unsafe path.flatMap { unsafe Self.map($0, bytes) }
    isShared = unsafe shared != nil
    unsafe memory = unsafe shared ?? Self.privateMemory(bytes)
  }

  private static func map(_ path: String, _ bytes: Int) -> UnsafeMutableRawPointer? {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // Every rank asks for the same size, and new bytes are zero. Without allocated blocks, the first store to a full
    // disk would end the process (SIGBUS).
    guard posix_fallocate(file, 0, bytes) == 0 else { return nil }
    let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    return unsafe memory == MAP_FAILED ? nil : memory
  }

  private static func privateMemory(_ bytes: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: lineBytes)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    return unsafe memory
  }

  func heartbeat(of rank: Int) -> Heartbeat { unsafe Heartbeat(memory + rank * Self.lineBytes) }

  /// Whether a rank of this host has ended the job and said why.
  var isOver: Bool { unsafe overWord.pointee.load(ordering: .relaxed) != 0 }

  /// Marks the job as ended for all ranks of this host. True on the first rank to do so, which must say why.
  func end() -> Bool {
    unsafe overWord.pointee.compareExchange(expected: 0, desired: 1, ordering: .relaxed).exchanged
  }

  private var overWord: UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (memory + size * Self.lineBytes).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
