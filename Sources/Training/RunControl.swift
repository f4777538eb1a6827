import Synchronization

/// Where a signal handler, another thread or a scheduler asks a run for something, and its ``Trainer`` looks between steps.
///
/// It is enough that one rank is asked: the ranks tell one another, and all do it at the same step boundary.
public final class RunControl: Sendable {
  private let requests = Atomic<UInt32>(0)

  /// How long after a checkpoint that was asked for another request is the same one: mpirun passes a signal to one rank after another.
  let pause: Duration

  /// That of all runs of this process, which signals ask (`World.run` in the room Jobs).
  public static let ofProcess = RunControl()

  /// Nothing asked for yet.
  public init(pause: Duration = .seconds(1)) { self.pause = pause }

  /// Asks for this. One atomic operation: safe in a signal handler.
  public func ask(_ request: RunRequests) { requests.bitwiseOr(request.rawValue, ordering: .relaxed) }

  /// Whether a stop has been asked for.
  public var isAskedToStop: Bool { pending.contains(.stop) }

  /// What has been asked for and not yet been done.
  var pending: RunRequests { RunRequests(rawValue: requests.load(ordering: .relaxed)) }

  /// Says that this has been done.
  func forget(_ request: RunRequests) { requests.bitwiseAnd(~request.rawValue, ordering: .relaxed) }
}
