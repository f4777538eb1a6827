import Collectives
import Glibc
import Synchronization

/// A barrier of ranks that share memory: each counts its arrivals in a word of its own and waits for the others' words.
///
/// It costs a tenth of a barrier by messages. A rank's word is the first in its part of a window, alone in its cache
/// line.
@safe
struct SharedBarrier {
  /// The number of floats at the beginning of a rank's part that belong to the barrier: a cache line.
  static let floatCount = 16

  private let mine: UnsafeMutablePointer<Atomic<UInt32>>
  private let all: [UnsafeMutablePointer<Atomic<UInt32>>]
  /// The ranks in the world that the words belong to.
  private let ranks: [Int]
  private var arrivals: UInt32 = 0

  /// A barrier of `ranks`, whose zeroed parts begin at `parts`. This rank's is the one at `place`.
  init(_ parts: [UnsafeMutablePointer<Float>], ranks: [Int], place: Int) {
    unsafe all = parts.map { unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: Atomic<UInt32>.self) }
    unsafe mine = all[place]
    self.ranks = ranks
  }

  /// Returns once every rank has called it as often as this one. Their earlier stores are then visible. Throws if that
  /// takes longer than `limit`.
  mutating func wait(limit: Patience) throws(CommunicationError) {
    arrivals &+= 1
    unsafe mine.pointee.store(arrivals, ordering: .releasing)
    for place in unsafe all.indices { try wait(for: place, limit) }
  }

  private func wait(for place: Int, _ limit: Patience) throws(CommunicationError) {
    var polls = 0
    var waiting = Waiting(limit)
    defer { waiting.end() }
    // Counts wrap around, but a rank is at most one arrival ahead.
    while unsafe Int32(bitPattern: all[place].pointee.load(ordering: .acquiring) &- arrivals) < 0 {
      polls += 1
      // After some microseconds, the others may be waiting for a processor: yield this one.
      guard polls > 2000 else { continue }
      sched_yield()
      // The others may be waiting for a message that this rank sends to another host.
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
