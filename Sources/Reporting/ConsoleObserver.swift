import Console
import NeuralNetworks
import Tensors
import Training

/// Prints a run's progress: a moving bar on a terminal, elsewhere a plain line at most every ten seconds. Between steps it says what
/// a long wait is for (``WaitingLine``).
public final class ConsoleObserver: Observer {
  private let isInteractive: Bool
  private let isQuiet: Bool
  private var lastDrawn: ContinuousClock.Instant?
  private var ranks = 1
  private var loss: (any Loss)?
  /// How a pass is called: of a federated run it is a round.
  private var pass = "Epoch"
  private var waits: [WaitingLine] = []

  /// An observer for a terminal if `isInteractive`, else for a log. One that `isQuiet` prints the results and warnings alone.
  public init(isInteractive: Bool = Terminal.isInteractive, isQuiet: Bool = false) {
    (self.isInteractive, self.isQuiet) = (isInteractive, isQuiet)
  }

  public func began(_ run: RunDescription) {
    (ranks, loss) = (run.ranks, run.recipe.loss)
    if run.federation != nil { pass = "Round" }
    guard !isQuiet else { return }
    let recipe = run.recipe
    let schedule = recipe.schedule == .constant ? "" : " \(recipe.schedule.rawValue)"
    let optimizer =
      "\(recipe.optimizer.title) \(recipe.scaledLearningRate)"
      + recipe.optimizer.settings.map { " \($0.key) \($0.value)" }.joined()
    let hosts = run.hosts == 1 ? "" : " on \(run.hosts) hosts"
    Terminal.say(
      "\(escaped(recipe.model.name)): \(grouped(run.parameters)) parameters, \(escaped(recipe.loss.name)), on \(run.ranks) "
        + "rank\(run.ranks == 1 ? "" : "s")\(hosts); "
        + (run.federation?.text ?? "global batch \(recipe.globalBatch) in microbatches of \(run.microbatch)")
        + ", \(optimizer)\(schedule), seed \(recipe.seed)")
    if let scaling = recipe.rateScaling {
      let ratio = "\(recipe.globalBatch)/\(RateScaling.usualBatch)"
      Terminal.say(
        "learning rate \(recipe.scaledLearningRate): \(recipe.learningRate) · "
          + (scaling == .sqrt ? "√(\(ratio))" : ratio)
          + (recipe.warmup == 0 ? "" : ", reached after \(recipe.warmup) steps"))
    }
    if let weights = run.initialWeights { Terminal.say(weights.text) }
    if run.isComplete && run.resumedAtStep > 0 {
      Terminal.say(
        "the run is complete after \(run.federation == nil ? "step" : "round") \(run.resumedAtStep): nothing is left to train"
      )
    } else if run.resumedAtStep > 0 {
      Terminal.say("resumed after \(run.federation == nil ? "step" : "round") \(run.resumedAtStep)")
    }
    lastDrawn = .now
  }

  public func stepped(_ progress: EpochProgress) {
    guard !isQuiet else { return }
    // Reading the clock costs a thousandth of the smallest step.
    let now = ContinuousClock.now
    let pause: Duration = isInteractive ? .milliseconds(100) : .seconds(10)
    guard lastDrawn.map({ now - $0 >= pause }) ?? true else { return }
    lastDrawn = now
    if isInteractive {
      Terminal.draw(line(progress, isOver: false))
    } else {
      Terminal.say(line(progress, isOver: false))
    }
  }

  public func endedEpoch(_ report: EpochReport) {
    guard !isQuiet else { return }
    let time = report.time
    let whole = max(time.compute + time.communication + time.waiting, .leastNonzeroMagnitude)
    let split =
      "compute \(percent(time.compute / whole)), communication \(percent(time.communication / whole)), "
      + "waiting \(percent(time.waiting / whole))" + (ranks > 1 ? ", slowest rank \(time.slowestRank)" : "")
    Terminal.write(
      line(report.training, isOver: true)
        + " - val_loss: \(fixed(report.testLoss, 4))"
        + (report.testAccuracy.map { " - val_accuracy: \(fixed($0, 4))" } ?? "")
        + (report.round?.text ?? "")
        + (report.privacy.map { " - epsilon: \(fixed($0.epsilon, 3))" } ?? "") + "\n  \(split)\n")
    lastDrawn = .now
  }

  public func entered(_ activity: Activity) {
    guard !isQuiet else { return }
    waits.append(WaitingLine(text(of: activity), in: isInteractive ? .terminal : .output))
  }

  public func left(_ activity: Activity) { waits.popLast()?.stop() }

  public func warned(_ line: String) { Terminal.complain("warning: \(line)") }

  public func ended(_ summary: TrainingSummary) {
    for line in resultLines(of: summary, loss) { Terminal.say(line) }
  }

  /// What a person waits for.
  private func text(of activity: Activity) -> String {
    switch activity {
    case .restoring: "looking for a checkpoint to go on from"
    case .evaluating(let samples): "evaluating on \(grouped(samples)) samples"
    case .saving(let step): "saving the checkpoint of step \(grouped(step))"
    case .tracing: "gathering the trace of all ranks"
    }
  }

  /// The text of a mean; a dash for a mean of nothing.
  private func measured(_ mean: Double) -> String { mean.isNaN ? "–" : fixed(mean, 4) }

  private func line(_ progress: EpochProgress, isOver: Bool) -> String {
    let done = Double(progress.samplesDone) / Double(progress.samplesInEpoch)
    let cells = 24
    let full = Int(done * Double(cells))
    let bar = String(repeating: "━", count: full) + String(repeating: "╌", count: cells - full)
    let rate = progress.samplesPerSecond
    let left = rate > 0 ? Double(progress.samplesInEpoch - progress.samplesDone) / rate : 0
    let clock = isOver ? duration(progress.seconds) : "\(duration(left)) left"
    let position = isInteractive ? "\(bar) " : ""
    return
      "\(pass) \(progress.epoch)/\(progress.epochs) \(position)\(progress.samplesDone)/\(progress.samplesInEpoch) - "
      + "\(clock) - \(grouped(Int(rate))) samples/s - loss: \(measured(progress.loss))"
      + (progress.accuracy.map { " - accuracy: \(measured($0))" } ?? "")
  }
}

extension RoundFigures {
  /// The clients of the round, as far as they are not all that was asked for.
  fileprivate var text: String {
    " - clients: \(clients)" + (dropped > 0 ? " - dropped: \(dropped)" : "")
      + (stragglers > 0 ? " - stragglers: \(stragglers)" : "")
      + (clipNorm.map { " - clip: \(fixed(Double($0), 4))" } ?? "")
      + (accuracy.map { " - worst tenth: \(fixed($0.worstTenth, 4))" } ?? "")
  }
}
