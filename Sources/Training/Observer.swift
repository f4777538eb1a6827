/// What is told of a run while it goes on, on rank 0: the only way from training to reports.
///
/// Every method has an empty default. They are called between steps, and the run waits for them: be brief. One that throws ends
/// the run: for files that the user asked for and cannot have.
public protocol Observer: AnyObject {
  /// Before the first step.
  func began(_ run: RunDescription) throws
  /// After each step.
  func stepped(_ progress: EpochProgress) throws
  /// After each epoch's evaluation.
  func endedEpoch(_ report: EpochReport) throws
  /// Once a checkpoint is durably on disk.
  func saved(checkpoint path: String, step: Int) throws
  /// Something worth a line that is no error.
  func warned(_ line: String)
  /// After the last evaluation and checkpoint.
  func ended(_ summary: TrainingSummary) throws
}

extension Observer {
  public func began(_ run: RunDescription) throws {}
  public func stepped(_ progress: EpochProgress) throws {}
  public func endedEpoch(_ report: EpochReport) throws {}
  public func saved(checkpoint path: String, step: Int) throws {}
  public func warned(_ line: String) {}
  public func ended(_ summary: TrainingSummary) throws {}
}
