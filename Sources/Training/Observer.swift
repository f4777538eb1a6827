/// A listener that is told of a run on rank 0 while it goes on: the only way from training to reports.
///
/// Every method has an empty default. Methods are called between steps, and the run waits for them, so they should be
/// short.
///
/// An error ends the run with the code that ``TrainingError/init(_:)-(Error)`` gives it. With
/// ``RunOptions/SaveFailure/goOn``, code 73 is only a warning, except from ``stepped(_:)``.
public protocol Observer: AnyObject {
  /// Called before the first step.
  func began(_ run: RunDescription) throws
  /// Called after each step.
  func stepped(_ progress: EpochProgress) throws
  /// Called after each epoch's evaluation.
  func endedEpoch(_ report: EpochReport) throws
  /// Called once the steps that were to be traced are over (``RunOptions/trace``).
  func traced(_ trace: RunTrace) throws
  /// Called before something that may take a while. ``Activity/restoring`` comes before ``began(_:)``. A checkpoint may be written in the
  /// middle of an evaluation.
  func entered(_ activity: Activity)
  /// Called when that is over, also by an error.
  func left(_ activity: Activity)
  /// Called once a checkpoint is durable.
  func saved(checkpoint path: String, step: Int) throws
  /// Called with a line that is worth reading and no error.
  func warned(_ line: String)
  /// Called after the last evaluation and checkpoint.
  func ended(_ summary: TrainingSummary) throws
  /// Called after ``Observer/ended(_:)``, with the network as it was tested.
  func finished(_ run: FinishedRun) throws
}

extension Observer {
  public func began(_ run: RunDescription) throws {}
  public func stepped(_ progress: EpochProgress) throws {}
  public func endedEpoch(_ report: EpochReport) throws {}
  public func traced(_ trace: RunTrace) throws {}
  public func entered(_ activity: Activity) {}
  public func left(_ activity: Activity) {}
  public func saved(checkpoint path: String, step: Int) throws {}
  public func warned(_ line: String) {}
  public func ended(_ summary: TrainingSummary) throws {}
  public func finished(_ run: FinishedRun) throws {}
}
