import Glibc
import Synchronization

/// What each rank of a host tells of itself, in memory that the others read without its help and before MPI is there: a mapped file.
@safe
final class JobBoard: @unchecked Sendable {
  /// A rank's part: a cache line, written by that rank alone.
  private static let lineBytes = 64

  private let memory: UnsafeMutableRawPointer
  private let size: Int
  /// Whether the ranks of the host see one another here.
  let isShared: Bool

  /// For a world of `size` ranks. Without a `path` that can be mapped, the ranks do not see one another.
  init(path: String?, size: Int) {
    self.size = size
    // One line more, for what is the job's.
    let bytes = (size + 1) * Self.lineBytes
    let shared = unsafe path.flatMap { unsafe Self.map($0, bytes) }
    isShared = unsafe shared != nil
    unsafe memory = unsafe shared ?? Self.privateMemory(bytes)
  }

  private static func map(_ path: String, _ bytes: Int) -> UnsafeMutableRawPointer? {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // Every rank asks for the same size, and what is new is zero. A file without its blocks would end the process (SIGBUS) at the first
    // store to a full disk.
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

  /// Ends the job for all ranks of this host; true for the one that is to say why.
  func end() -> Bool {
    unsafe overWord.pointee.compareExchange(expected: 0, desired: 1, ordering: .relaxed).exchanged
  }

  private var overWord: UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (memory + size * Self.lineBytes).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
