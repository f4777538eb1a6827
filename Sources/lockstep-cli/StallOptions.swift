import ArgumentParser
import Lockstep

/// How long the ranks wait for one of them that does not go on.
struct StallOptions: ParsableArguments {
  @Option(help: "After how long a rank that is stopped, hung or cut off is named: 30s, 10min, 2h.")
  var stallWarning = TimeSpan(.seconds(30))

  @Option(help: "After how long it ends the job. Longer than the slowest checkpoint.")
  var stallTimeout = TimeSpan(.seconds(600))

  var limits: StallDetector.Limits {
    StallDetector.Limits(warning: stallWarning.duration, timeout: stallTimeout.duration)
  }

  func validate() throws {
    guard stallTimeout.duration >= stallWarning.duration else {
      throw ValidationError("--stall-timeout \(stallTimeout) is less than --stall-warning \(stallWarning)")
    }
  }
}

/// `30s`, `10min`, `2h`, as a flag.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
  private static let units = [("h", 3600.0), ("min", 60), ("s", 1)]

  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  /// nil for anything else, for zero, and for more than a year.
  init?(argument: String) {
    guard let (unit, seconds) = Self.units.first(where: { argument.hasSuffix($0.0) }),
      let count = Double(argument.dropLast(unit.count)), count > 0, count * seconds <= 366 * 86400
    else { return nil }
    duration = .seconds(count * seconds)
  }

  var description: String {
    let seconds = duration.seconds
    let (unit, length) = Self.units.first { seconds.remainder(dividingBy: $0.1) == 0 } ?? ("s", 1)
    return "\(fixed(seconds / length, seconds / length == (seconds / length).rounded() ? 0 : 3))\(unit)"
  }
}
