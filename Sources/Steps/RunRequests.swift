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
