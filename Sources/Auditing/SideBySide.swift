import Collectives
import Training

/// Work that ranks do alone and at the same time, such as the training of a model each.
///
/// A rank that is done, or has nothing to do, would wait for the others for as long as a training lasts, longer than the watchdog lets one
/// wait. So the ranks meet at the worker's beats: each rank that works joins one meeting a beat, and one that does not joins meeting after
/// meeting, until all are done.
package struct SideBySide {
  private let communicator: any Communicator

  /// Work on the ranks of `communicator`.
  package init(_ communicator: any Communicator) { self.communicator = communicator }

  /// Runs `body` on every rank that has work, and returns all ranks' words. Collective. Throws the same error on every rank if one fails.
  ///
  /// - Parameter body: works, and calls its argument every few seconds or more often.
  package func run(_ body: ((_ beat: @escaping () throws -> Void) throws -> [UInt64])?) throws -> [[UInt64]] {
    let outcome = Result { try body?({ try _ = meet(isDone: false) }) ?? [] }
    while try !meet(isDone: true) {}
    let words = try communicator.agree { try outcome.get() }
    return try communicating { try communicator.gather(words: words) }
  }

  /// Returns once all ranks are here: whether all are done.
  private func meet(isDone: Bool) throws -> Bool {
    communicator.entered(.compute, step: nil)
    return try communicating { try communicator.gather([isDone ? 1 : 0]) }.allSatisfy { $0 == [1] }
  }
}
