import Collectives
import Glibc
import Synchronization

/// One rank's line of a ``JobBoard``: eight words, each written and read independently.
@safe
struct Heartbeat: @unchecked Sendable {
  private let words: UnsafeMutablePointer<Atomic<UInt64>>

  init(_ line: UnsafeMutableRawPointer) {
    unsafe words = line.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// A heartbeat that nobody sees, for a communicator without a watchdog.
  init() { self = JobBoard(path: nil, size: 1).heartbeat(of: 0) }

  private func load(_ word: Int) -> UInt64 { unsafe words[word].load(ordering: .relaxed) }
  private func store(_ word: Int, _ value: UInt64) { unsafe words[word].store(value, ordering: .relaxed) }

  /// The number of the rank's process; 0 until it has started.
  var process: pid_t {
    get { pid_t(truncatingIfNeeded: load(0)) }
    nonmutating set { store(0, UInt64(newValue)) }
  }

  var state: StallDetector.Sighting.State {
    get { StallDetector.Sighting.State(rawValue: load(1)) ?? .absent }
    nonmutating set { store(1, newValue.rawValue) }
  }

  /// Notes that the process runs. Called by the watchdog's thread.
  func tick() { store(2, load(2) &+ 1) }

  /// Notes that the rank has moved on to `phase` of `step`; nil for the same step.
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

  /// The rank that it waits for; nil if unknown.
  var awaited: Int? {
    get { load(6) == 0 ? nil : Int(load(6)) - 1 }
    nonmutating set { store(6, newValue.map { UInt64($0) + 1 } ?? 0) }
  }

  /// All words, as the stall detector takes them.
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
