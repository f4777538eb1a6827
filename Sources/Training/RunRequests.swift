import Collectives

/// Requests to a run while it goes on.
public struct RunRequests: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A checkpoint at the next step boundary, and the end of the run.
  public static var stop: Self { Self(rawValue: 1) }
  /// A checkpoint at the next step boundary.
  public static var save: Self { Self(rawValue: 2) }
  /// Like ``stop``, by the clock.
  package static var timeIsUp: Self { Self(rawValue: 4) }

  /// The requests that end the run.
  package static var ending: Self { [.stop, .timeIsUp] }
}

extension RunOptions {
  /// The time at which the run ends by the clock, counted from the process' start; nil if it does not, and except on rank 0, whose clock counts.
  package func deadline(on communicator: any Communicator) -> ContinuousClock.Instant? {
    communicator.rank == 0 ? maxTime.map { .now + $0.duration - .seconds(ProcessFacts.secondsSinceStart) } : nil
  }

  /// The requests to this rank, by ``control`` and by the clock.
  package func pending(until deadline: ContinuousClock.Instant?) -> RunRequests {
    var requests = control.pending
    if let deadline, .now >= deadline { requests.insert(.timeIsUp) }
    return requests
  }
}
