import Checkpoints
import Training

/// Makes `call`, on a file that there may be. Its failure ends the run with 73, or is a warning if the run goes on without
/// such a file.
func writing(_ call: @autoclosure () throws(FileWriteError) -> Void?) throws(TrainingError) {
  do { _ = try call() } catch { throw TrainingError(.cannotWrite, error.description) }
}
