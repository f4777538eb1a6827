import Synchronization

/// What is asked of a run from outside while it goes on.
public struct RunRequests: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A checkpoint at the next step boundary, and the end of the run.
  public static var stop: Self { Self(rawValue: 1) }
  /// A checkpoint at the next step boundary.
  public static var save: Self { Self(rawValue: 2) }
  /// As ``stop``, by the clock.
  static var timeIsUp: Self { Self(rawValue: 4) }

  /// Those that end the run.
  static var ending: Self { [.stop, .timeIsUp] }
}

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
