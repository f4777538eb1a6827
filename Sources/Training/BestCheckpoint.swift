import Checkpoints
import Collectives
import FoundationEssentials
import Tensors

extension RestoredNetwork {
  /// The path of the checkpoint of the best epoch (``RunOptions/savesBest``) of the run directory at `path`, on every rank:
  /// the one that the newest whole checkpoint names. Collective.
  ///
  /// - Parameters:
  ///   - strict: whether every checkpoint of the run directory must be whole.
  ///   - warn: called on rank 0 with a line for every damaged checkpoint that is passed over.
  /// - Throws: ``TrainingError``: 66 if there is no checkpoint, 65 if it is damaged, 64 if `path` is a file, or if the run
  ///   looked for no best epoch or has ended none.
  public static func bestCheckpoint(
    of path: String, strict: Bool = false, communicator: any Communicator, warn: (String) -> Void
  ) throws -> String {
    let best = try communicator.agree { () -> String in
      guard communicator.rank == 0 else { return "" }
      let newest = try open(path, strict: strict, warn: warn)
      guard newest.path != path else {
        throw TrainingError(.usage, "\(path): is a checkpoint; the best one is looked for in a run directory")
      }
      guard let best = newest.state.best else {
        throw TrainingError(
          .usage,
          "\(path): its run has no best epoch; give a checkpoint's file, or train with \(Setting.savesBest) or "
            + "\(Setting.earlyStopping)")
      }
      return CheckpointStore(directory: "\(path)/checkpoints").path(step: best.step)
    }
    return try communicator.fromFirst(best)
  }
}
