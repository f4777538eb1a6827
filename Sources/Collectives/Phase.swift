/// The phase that a rank is in, noted by ``Communicator/entered(_:step:)`` for those who wait for it.
public enum Phase: UInt64, Sendable, CaseIterable {
  /// Reading data and making ready, up to the first step.
  case start
  /// Gradients of its own microbatches.
  case compute
  /// From having its own gradients to having the sum of all.
  case reduction
  /// Telling the observers, which may write files.
  case report
  /// Working out loss and metrics on the test or validation data.
  case evaluation
  /// Making a checkpoint, which rank 0 writes.
  case checkpoint
  /// Leaving the job, all done.
  case end
}
