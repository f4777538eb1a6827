import Collectives
import Glibc
import Synchronization

/// A barrier of ranks that share memory: each counts its arrivals in a word of its own and waits for the others' words.
///
/// A tenth of what a barrier by messages costs. A rank's word is the first of its part of a window, alone in its cache line.
@safe
struct SharedBarrier {
  /// The floats at the beginning of a rank's part that are the barrier's: a cache line.
  static let floatCount = 16

  private let mine: UnsafeMutablePointer<Atomic<UInt32>>
  private let all: [UnsafeMutablePointer<Atomic<UInt32>>]
  /// Whose words they are, in the world.
  private let ranks: [Int]
  private var arrivals: UInt32 = 0

  /// Of the ranks whose parts begin at `parts`, zeroed, this one's at `place`.
  init(_ parts: [UnsafeMutablePointer<Float>], ranks: [Int], place: Int) {
    unsafe all = parts.map { unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: Atomic<UInt32>.self) }
    unsafe mine = all[place]
    self.ranks = ranks
  }

  /// Returns once every rank has called it as often as this one; their stores from before are then seen.
  mutating func wait(limit: Patience) throws(CommunicationError) {
    arrivals &+= 1
    unsafe mine.pointee.store(arrivals, ordering: .releasing)
    for place in unsafe all.indices { try wait(for: place, limit) }
  }

  private func wait(for place: Int, _ limit: Patience) throws(CommunicationError) {
    var polls = 0
    var waiting = Waiting(limit)
    defer { waiting.end() }
    // Counts wrap; a rank is at most one arrival ahead.
    while unsafe Int32(bitPattern: all[place].pointee.load(ordering: .acquiring) &- arrivals) < 0 {
      polls += 1
      // The others are as good as here, or have not got a processor: after some microseconds of the one, give way to the other.
      guard polls > 2000 else { continue }
      sched_yield()
      // The rank waited for may be waiting for a message from here to another host.
      try MPICalls.progress()
      guard polls % 64 == 0 else { continue }
      waiting.awaits(ranks[place])
      guard !waiting.isOver() else {
        throw CommunicationError(
          "barrier: rank \(ranks[place]) has not answered for \(waiting.time.components.seconds) s")
      }
    }
  }
}
