import ArgumentParser
import Lockstep

/// The value of `--global-batch`.
enum BatchSize: Equatable, ExpressibleByArgument {
  /// The one that measurement finds.
  case auto
  /// This number of samples.
  case count(Int)

  /// Reads `auto` or a number.
  init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else if let count = Int(argument) {
      self = .count(count)
    } else {
      return nil
    }
  }

  /// The number of samples; nil if it is to be found.
  var samples: Int? { if case .count(let count) = self { count } else { nil } }
}

extension BatchSearch.Result {
  /// The line that says what was chosen on `ranks` ranks.
  func line(ranks: Int) -> String {
    "global batch \(globalBatch) in microbatches of \(microbatch), "
      + (samplesPerSecond.map { "for \(grouped(Int($0))) samples/s on \(ranks) rank\(ranks == 1 ? "" : "s")" }
        ?? "as in the checkpoint")
  }
}
