// The library's values as the program's arguments.

import ArgumentParser
import Lockstep

extension ClassWeights: ExpressibleByArgument {
  /// Reads the argument as `ClassWeights.init(_:)` does.
  public init?(argument: String) { self.init(argument) }
}

extension CSVOptions.MissingValues: ExpressibleByArgument {}

extension CSVOptions.DuplicateRows: ExpressibleByArgument {}

extension CSVOptions.Normalisation: ExpressibleByArgument {}

extension AnonymisationPlan.Suppression: ExpressibleByArgument {}

extension ProductPrecision: ExpressibleByArgument {}

extension ReductionMethod: ExpressibleByArgument {}

extension RunOptions.CheckpointInterval: ExpressibleByArgument {
  /// Reads the argument as `CheckpointInterval.init(_:)` does.
  public init?(argument: String) { self.init(argument) }
}

extension RunOptions.SaveFailure: ExpressibleByArgument {}

extension RunOptions.Resume: ExpressibleByArgument {
  /// Reads `auto`, `never`, or the path of a file.
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
  /// Reads the argument as `VerifyInterval.init(_:)` does.
  public init?(argument: String) { self.init(argument) }
}

extension TimeSpan: ExpressibleByArgument {
  /// Reads the argument as `TimeSpan.init(_:)` does.
  public init?(argument: String) { self.init(argument) }
}

extension Schedule.Shape: ExpressibleByArgument {}

extension RateScaling: ExpressibleByArgument {}

extension RunRecord.MetricsFormat: ExpressibleByArgument {}

extension LogFormat: ExpressibleByArgument {}
