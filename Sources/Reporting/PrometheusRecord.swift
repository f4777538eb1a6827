import Checkpoints
import Console
import Exchange
import Tensors
import Training

/// Writes where a run stands to a file that Prometheus' node exporter passes on (its textfile collector): at the start, every
/// ten seconds, after each epoch, and at the end. The file is replaced whole.
///
/// A file that cannot be written between two epochs is an error only after the epoch if the run goes on without such files
/// (``RunOptions/SaveFailure/goOn``).
public final class PrometheusRecord: Observer {
  private let path: String
  private var run: RunDescription?
  private var progress: EpochProgress?
  /// The figures of the last epoch that ended; nil before that.
  private var figures: EpochFigures?
  private var checkpointStep: Int?
  private var isFinished = false
  private var lastWritten = ContinuousClock.now

  /// A record in the file at `path`, which the collector reads if its name ends with `.prom`.
  public init(_ path: String) { self.path = path }

  public func began(_ run: RunDescription) throws(TrainingError) {
    self.run = run
    if run.resumedAtStep > 0 { checkpointStep = run.resumedAtStep }
    try writing(try AtomicFile.removeLeftover(of: path))
    try write()
  }

  public func stepped(_ progress: EpochProgress) throws(TrainingError) {
    self.progress = progress
    guard .now - lastWritten >= .seconds(10) else { return }
    do { try write() } catch {
      if run?.options.onCheckpointFailure != .goOn { throw error }
    }
  }

  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {
    guard let run else { return }
    progress = report.training
    figures = EpochFigures(report, of: run)
    try write()
  }

  public func saved(checkpoint path: String, step: Int) { checkpointStep = step }

  public func ended(_ summary: TrainingSummary) throws(TrainingError) {
    isFinished = true
    try write()
  }

  private func write() throws(TrainingError) {
    guard let run else { return }
    lastWritten = .now
    try writing(try AtomicFile.write(Array(text(run).utf8), to: path))
  }

  private func text(_ run: RunDescription) -> String {
    var text = PrometheusText(labels: [("model", run.recipe.model.name), ("run_dir", run.options.directory ?? "")])
    text.add("lockstep_finished", help: "Whether the run has ended after its last step: 0 or 1.", isFinished ? 1 : 0)
    text.add("lockstep_ranks", help: "Ranks of the job.", Double(run.ranks))
    text.add("lockstep_parameters", help: "Learnt values of the model.", Double(run.parameters))
    text.add("lockstep_epochs", help: "Epochs of the whole run.", Double(run.recipe.epochs))
    text.add("lockstep_epoch", help: "The present epoch, from 1.", Double(progress?.epoch ?? run.epochsDone + 1))
    text.add(
      "lockstep_steps_total", .counter, help: "Steps of the whole run so far.",
      Double(progress?.step ?? run.resumedAtStep))
    text.add("lockstep_checkpoint_step", help: "The step of the newest checkpoint.", checkpointStep.map { Double($0) })
    text.add("lockstep_epoch_samples", help: "Training samples of an epoch.", Double(run.samples))
    text.add(
      "lockstep_epoch_samples_done", help: "Samples of the present epoch that were trained on.",
      progress.map { Double($0.samplesDone) })
    text.add("lockstep_train_loss", help: "Mean training loss of the present epoch so far.", progress?.loss)
    text.add("lockstep_train_accuracy", help: "Training accuracy of the present epoch so far.", progress?.accuracy)
    text.add(
      "lockstep_samples_per_second", help: "Training samples per second in the present epoch.",
      progress?.samplesPerSecond)
    for (key, help) in Self.ofLastEpoch { text.add("lockstep_\(key.rawValue)", help: help, figures?[key]) }
    return text.text
  }

  /// The figures that an epoch has at its end only, under the names of `metrics.jsonl`.
  private static let ofLastEpoch: [(EpochFigures.CodingKeys, String)] = [
    (.testLoss, "Mean loss on the test data after the last epoch."),
    (.testAccuracy, "Accuracy on the test data after the last epoch."),
    (.validationLoss, "Mean loss on the validation data after the last epoch."),
    (.validationAccuracy, "Accuracy on the validation data after the last epoch."),
    (.learningRate, "Learning rate of the last step of the last epoch."),
    (.gradientNorm, "Norm of a batch's mean gradient in the last epoch."),
    (.gradientNoiseScale, "Gradient noise scale of the last epoch in samples."),
    (.skippedSteps, "Steps of the last epoch that were not finite and not taken."),
    (.evaluationSeconds, "Seconds of the evaluation after the last epoch."),
    (.computeSeconds, "Seconds of work in the last epoch, mean over ranks."),
    (.communicationSeconds, "Seconds of communication in the last epoch."),
    (.waitingSeconds, "Seconds of waiting for other ranks in the last epoch, mean over ranks."),
    (.slowestRank, "The rank with the most work in the last epoch."),
  ]
}
