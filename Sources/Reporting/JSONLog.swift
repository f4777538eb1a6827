import Console
import Tensors
import Training

/// Writes a run's progress for programs that collect logs: a JSON object a line on standard error, at the start, at most
/// every ten seconds, after each epoch and checkpoint, at warnings and at the end. Standard output gets the results alone.
///
/// Each object begins with `time` (ISO 8601), `level` (`info`, `warning` or `error`) and `event`. The event `epoch` has the
/// keys of `metrics.jsonl`.
public final class JSONLog: Observer {
  private var lastWritten: ContinuousClock.Instant?
  private var run: RunDescription?

  /// A log on standard error, whose other lines are JSON objects too from now on.
  public init() { Terminal.logFormat = .json }

  public func began(_ run: RunDescription) {
    let recipe = run.recipe
    self.run = run
    Terminal.log(
      .info, "began",
      [
        ("model", .string(recipe.model.name)), ("task", .string(recipe.loss.name)),
        ("parameters", number(run.parameters)), ("ranks", number(run.ranks)), ("hosts", number(run.hosts)),
        ("epochs", number(recipe.epochs)), ("global_batch", number(recipe.globalBatch)),
        ("microbatch", number(run.microbatch)), ("optimizer", .string(recipe.optimizer.name)),
        ("learning_rate", .number("\(recipe.scaledLearningRate)")), ("seed", .number("\(recipe.seed)")),
        ("run_dir", run.options.directory.map { .string($0) }), ("step", number(run.resumedAtStep)),
        ("is_complete", .boolean(run.isComplete)),
        ("initial_weights", run.initialWeights.map { .string($0.text) }),
      ])
    lastWritten = .now
  }

  public func stepped(_ progress: EpochProgress) {
    let now = ContinuousClock.now
    guard lastWritten.map({ now - $0 >= .seconds(10) }) ?? true else { return }
    lastWritten = now
    Terminal.log(
      .info, "progress",
      [
        ("epoch", number(progress.epoch)), ("epochs", number(progress.epochs)), ("step", number(progress.step)),
        ("samples", number(progress.samplesDone)), ("samples_in_epoch", number(progress.samplesInEpoch)),
        ("train_loss", measured(progress.loss)), ("train_accuracy", progress.accuracy.flatMap(measured)),
        ("samples_per_second", number(progress.samplesPerSecond)),
      ])
  }

  public func endedEpoch(_ report: EpochReport) {
    guard let run else { return }
    let figures = EpochFigures(report, of: run)
    Terminal.log(
      .info, "epoch", EpochFigures.CodingKeys.allCases.map { ($0.rawValue, figures[$0].map(number)) })
    lastWritten = .now
  }

  public func saved(checkpoint path: String, step: Int) {
    Terminal.log(.info, "checkpoint", [("step", number(step)), ("path", .string(path))])
  }

  public func warned(_ line: String) { Terminal.complain("warning: \(line)") }

  public func ended(_ summary: TrainingSummary) {
    Terminal.log(
      .info, "ended",
      [
        ("step", number(summary.steps)), ("test_loss", number(summary.testLoss)),
        ("test_accuracy", summary.testAccuracy.map(number)),
        ("validation_loss", summary.validationLoss.map(number)),
        ("validation_accuracy", summary.validationAccuracy.map(number)),
        ("best_epoch", summary.bestEpoch.map(number)), ("seconds_total", number(summary.secondsTotal)),
        ("weights_digest", .string(summary.weightsDigest)),
        ("averaged_weights_digest", summary.averagedWeightsDigest.map { .string($0) }),
      ])
    for line in resultLines(of: summary, run?.recipe.loss) { print(line) }
    _ = Terminal.flush()
  }

  private func number(_ value: Int) -> JSONValue { .number("\(value)") }

  /// A number that is not finite is a string, because JSON has none.
  private func number(_ value: Double) -> JSONValue {
    value.isFinite ? .number(plain(value)) : .string(plain(value))
  }

  /// A mean over samples; nil of none.
  private func measured(_ mean: Double) -> JSONValue? { mean.isNaN ? nil : number(mean) }
}
