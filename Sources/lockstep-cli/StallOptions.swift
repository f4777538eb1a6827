import ArgumentParser
import Lockstep

/// The limits of the wait for a rank that does not go on.
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
