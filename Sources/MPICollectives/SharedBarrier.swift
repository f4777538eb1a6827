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
  private var arrivals: UInt32 = 0

  /// Of the ranks whose parts begin at `parts`, zeroed, this one being `rank`.
  init(_ parts: [UnsafeMutablePointer<Float>], rank: Int) {
    unsafe all = parts.map { unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: Atomic<UInt32>.self) }
    unsafe mine = all[rank]
  }

  /// Returns once every rank has called it as often as this one; their stores from before are then seen.
  mutating func wait(limit: Patience) throws(CommunicationError) {
    arrivals &+= 1
    unsafe mine.pointee.store(arrivals, ordering: .releasing)
    for rank in unsafe all.indices { try wait(for: rank, limit) }
  }

  private func wait(for rank: Int, _ limit: Patience) throws(CommunicationError) {
    var polls = 0
    var waiting = Waiting(limit)
    defer { waiting.end() }
    // Counts wrap; a rank is at most one arrival ahead.
    while unsafe Int32(bitPattern: all[rank].pointee.load(ordering: .acquiring) &- arrivals) < 0 {
      polls += 1
      // The others are as good as here, or have not got a processor: after some microseconds of the one, give way to the other.
      guard polls > 2000 else { continue }
      sched_yield()
      guard polls % 64 == 0 else { continue }
      waiting.awaits(rank)
      guard !waiting.isOver() else {
        throw CommunicationError("barrier: rank \(rank) has not answered for \(waiting.time.components.seconds) s")
      }
    }
  }
}
