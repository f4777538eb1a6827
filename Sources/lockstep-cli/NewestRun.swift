import FoundationEssentials
import Lockstep

/// The run that is meant where none is named.
enum NewestRun {
  /// The run directory in `runs` that was begun last. Throws with 66 if there is none with a checkpoint.
  static func path() throws -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
    // Their names begin with the time.
    guard let newest = names.filter({ FileManager.default.fileExists(atPath: "runs/\($0)/checkpoints") }).max() else {
      throw TrainingError(.missingInput, "no run in runs; give --run-dir the directory of a run, or train one")
    }
    return "runs/\(newest)"
  }
}
