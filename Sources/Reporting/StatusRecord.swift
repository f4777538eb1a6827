import Checkpoints
import FoundationEssentials
import Training

/// Writes where a run stands to `status.json` in its directory, for `lockstep top`: at the start, at most once a second, after each
/// epoch, and at the end. The file is replaced whole.
///
/// It is for whoever looks on, so a failure to write it is not the run's: the records and checkpoints beside it tell of a
/// disk that is full.
public final class StatusRecord: Observer {
  private var path: String?
  private var run: RunDescription?
  private var progress: EpochProgress?
  private var time: TimeSplit?
  private var lastWritten = ContinuousClock.now

  /// A record of the run that it observes; it writes nothing if the run has no directory.
  public init() {}

  public func began(_ run: RunDescription) {
    self.run = run
    path = run.options.directory.map { "\($0)/\(RunStatus.fileName)" }
    if let path { try? AtomicFile.removeLeftover(of: path) }
    write(isFinished: run.isComplete)
  }

  public func stepped(_ progress: EpochProgress) {
    self.progress = progress
    guard .now - lastWritten >= .seconds(1) else { return }
    write()
  }

  public func endedEpoch(_ report: EpochReport) {
    (progress, time) = (report.training, report.time)
    write()
  }

  public func ended(_ summary: TrainingSummary) { write(isFinished: true) }

  private func write(isFinished: Bool = false) {
    guard let run, let path else { return }
    lastWritten = .now
    let status = RunStatus(
      run, progress, time, isFinished: isFinished, process: processNumber(), time: Date.now.timeIntervalSince1970)
    guard let bytes = try? RunJSON.bytes(of: status, isPretty: false) else { return }
    try? AtomicFile.replace(bytes, at: path)
  }
}
