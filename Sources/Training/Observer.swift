/// What is told of a run while it goes on, on rank 0: the only way from training to reports.
///
/// Every method has an empty default. They are called between steps, and the run waits for them: be brief. One that throws ends
/// the run: for files that the user asked for and cannot have.
public protocol Observer: AnyObject {
  /// Before the first step.
  func began(_ run: RunDescription) throws(TrainingError)
  /// After each step.
  func stepped(_ progress: EpochProgress) throws(TrainingError)
  /// After each epoch's evaluation.
  func endedEpoch(_ report: EpochReport) throws(TrainingError)
  /// Once a checkpoint is durably on disk.
  func saved(checkpoint path: String, step: Int) throws(TrainingError)
  /// Something worth a line that is no error.
  func warned(_ line: String)
  /// After the last evaluation and checkpoint.
  func ended(_ summary: TrainingSummary) throws(TrainingError)
}

extension Observer {
  public func began(_ run: RunDescription) throws(TrainingError) {}
  public func stepped(_ progress: EpochProgress) throws(TrainingError) {}
  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {}
  public func saved(checkpoint path: String, step: Int) throws(TrainingError) {}
  public func warned(_ line: String) {}
  public func ended(_ summary: TrainingSummary) throws(TrainingError) {}
}
