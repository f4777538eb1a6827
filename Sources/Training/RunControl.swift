import Steps
import Synchronization

/// Requests of a signal handler, another thread or a scheduler to a run. Its ``Trainer`` looks at them between steps.
///
/// It is enough to ask one rank: ranks tell one another, and all act at the same step boundary.
public final class RunControl: Sendable {
  private let requests = Atomic<UInt32>(0)

  /// The time after a requested checkpoint in which another request is the same one: mpirun passes a signal to one rank
  /// after another.
  let pause: Duration

  /// The control of all runs of this process, which signals ask (`World.run` in the room Jobs).
  public static let ofProcess = RunControl()

  /// A control without requests.
  public init(pause: Duration = .seconds(1)) { self.pause = pause }

  /// Adds `request`. One atomic operation: safe in a signal handler.
  public func ask(_ request: RunRequests) { requests.bitwiseOr(request.rawValue, ordering: .relaxed) }

  /// Whether a stop has been asked for.
  public var isAskedToStop: Bool { pending.contains(.stop) }

  /// The requests that have not been answered yet.
  package var pending: RunRequests { RunRequests(rawValue: requests.load(ordering: .relaxed)) }

  /// Notes that `request` has been answered.
  package func forget(_ request: RunRequests) { requests.bitwiseAnd(~request.rawValue, ordering: .relaxed) }
}
