/// Something that a run does between its steps, and that may take a while.
public enum Activity: Sendable, Equatable {
  /// Looking for a checkpoint to go on from, and reading it.
  case restoring
  /// Evaluating on this number of samples.
  case evaluating(samples: Int)
  /// Writing the checkpoint of this step.
  case saving(step: Int)
  /// Gathering the trace of all ranks.
  case tracing
}
