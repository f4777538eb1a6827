import ArgumentParser
import Lockstep

/// A task as it is asked for: `--task`.
enum TaskArgument: ExpressibleByArgument, Equatable, CustomStringConvertible {
  /// One that says all.
  case whole(Objective)
  /// `binary`: the second of a table's two classes against the first.
  case binary

  init?(argument: String) {
    if argument == "binary" {
      self = .binary
    } else if let objective = Objective(argument) {
      self = .whole(objective)
    } else {
      return nil
    }
  }

  /// The objective, if it does not depend on the data.
  var objective: Objective? { if case .whole(let objective) = self { objective } else { nil } }

  /// What it asks of a table's target.
  var tableTask: CSVTask {
    switch objective {
    case nil: .binary
    case .regress: .regress
    // One class against the rest, of any number. (Pixels are no task on a table, and will be refused.)
    default: .classify
    }
  }

  /// The text that is read.
  var description: String { objective?.description ?? "binary" }
}
