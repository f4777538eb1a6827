// The library's values as the program's arguments.

import ArgumentParser
import Lockstep

extension Objective: ExpressibleByArgument {
  /// See `Objective.init(_:)`.
  public init?(argument: String) { self.init(argument) }
}

extension ReductionMethod: ExpressibleByArgument {}

extension RunOptions.CheckpointInterval: ExpressibleByArgument {
  /// See `CheckpointInterval.init(_:)`.
  public init?(argument: String) { self.init(argument) }
}

extension RunOptions.SaveFailure: ExpressibleByArgument {}

extension RunOptions.Resume: ExpressibleByArgument {
  /// `auto`, `never`, or a file.
  public init?(argument: String) {
    switch argument {
    case "auto": self = .auto
    case "never": self = .never
    case "": return nil
    default: self = .file(argument)
    }
  }
}

extension Execution.NonFiniteResponse: ExpressibleByArgument {}

extension Execution.VerifyInterval: ExpressibleByArgument {
  /// See `VerifyInterval.init(_:)`.
  public init?(argument: String) { self.init(argument) }
}

extension TimeSpan: ExpressibleByArgument {
  /// See `TimeSpan.init(_:)`.
  public init?(argument: String) { self.init(argument) }
}

extension Schedule.Shape: ExpressibleByArgument {}
