import Collectives
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

/// One rank's line of a ``JobBoard``: eight words, each written and read by itself.
@safe
struct Heartbeat: @unchecked Sendable {
  private let words: UnsafeMutablePointer<Atomic<UInt64>>

  fileprivate init(_ line: UnsafeMutableRawPointer) {
    unsafe words = line.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Seen by nobody, for a communicator without a watchdog.
  init() { self = JobBoard(path: nil, size: 1).heartbeat(of: 0) }

  private func load(_ word: Int) -> UInt64 { unsafe words[word].load(ordering: .relaxed) }
  private func store(_ word: Int, _ value: UInt64) { unsafe words[word].store(value, ordering: .relaxed) }

  /// The process, 0 before it has come.
  var process: pid_t {
    get { pid_t(truncatingIfNeeded: load(0)) }
    nonmutating set { store(0, UInt64(newValue)) }
  }

  var state: StallDetector.Sighting.State {
    get { StallDetector.Sighting.State(rawValue: load(1)) ?? .absent }
    nonmutating set { store(1, newValue.rawValue) }
  }

  /// Called by the watchdog's thread as long as the process runs.
  func tick() { store(2, load(2) &+ 1) }

  /// Notes that the rank has moved on, to here.
  func moved(to phase: Phase, step: Int?) {
    let step = step.map(UInt64.init) ?? load(4) >> 8
    store(4, step << 8 | phase.rawValue)
    store(3, load(3) &+ 1)
  }

  var whereabouts: Whereabouts {
    let word = load(4)
    return Whereabouts(Phase(rawValue: word & 0xFF) ?? .start, step: Int(word >> 8))
  }

  /// Whether the rank waits for others, and how.
  var wait: StallDetector.Sighting.Wait {
    get { StallDetector.Sighting.Wait(rawValue: load(5)) ?? .none }
    nonmutating set { store(5, newValue.rawValue) }
  }

  /// Notes that the rank polls.
  func polled() { store(7, load(7) &+ 1) }

  /// For whom it waits, where that is known.
  var awaited: Int? {
    get { load(6) == 0 ? nil : Int(load(6)) - 1 }
    nonmutating set { store(6, newValue.map { UInt64($0) + 1 } ?? 0) }
  }

  /// All of it.
  func sighting(isGone: Bool) -> StallDetector.Sighting {
    var sighting = StallDetector.Sighting()
    sighting.state = state
    sighting.isGone = isGone
    sighting.ticks = load(2)
    sighting.moves = load(3)
    sighting.whereabouts = whereabouts
    sighting.wait = wait
    sighting.polls = load(7)
    sighting.awaited = awaited
    return sighting
  }
}
