/// What a rank is at: what it tells whoever waits for it, by ``Communicator/entered(_:step:)``.
public enum Phase: UInt64, Sendable, CaseIterable {
  /// Reading data and making ready, up to the first step.
  case start
  /// Gradients of its own microbatches.
  case compute
  /// From having its own gradients to having everybody's.
  case reduction
  /// Telling the observers, which may write files.
  case report
  case evaluation
  case checkpoint
  /// Leaving the job, all done.
  case end
}
