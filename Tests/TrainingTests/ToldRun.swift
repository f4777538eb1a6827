import Lockstep

/// A run's summary, with all that rank 0's observer was told of it.
struct ToldRun: Sendable {
  var summary: TrainingSummary
  var description: RunDescription?
  var reports: [EpochReport] = []
  var warnings: [String] = []
  var mistakes: [Mistake] = []

  /// The activities in the order in which they were entered, and nil where one was left.
  var activities: [Activity?] = []

  /// Runs `run` to its end on `ranks` ranks, whose summaries must be the same. `onStep` is called on rank 0 after each
  /// step.
  init(
    _ run: SmallRun, ranks: Int, hosts: HostMap? = nil, onStep: @escaping @Sendable (Trainer, Int) -> Void = { _, _ in }
  ) throws {
    let told = try InProcessCommunicator.run(size: ranks, hosts: hosts ?? .together(ranks)) {
      [recipe = run.recipe, execution = run.execution, options = run.options, training = run.training, test = run.test]
      communicator -> ToldRun in
      let listener = Listener(onStep)
      var options = options
      options.control = RunControl()
      let trainer = try Trainer(
        recipe, training: training, test: test, execution: execution, options: options, on: communicator,
        observers: [listener])
      listener.trainer = trainer
      let summary = try trainer.run()
      return ToldRun(summary, listener)
    }
    self = told[0]
    for other in told.dropFirst() {
      precondition(other.summary.weightsDigest == summary.weightsDigest, "ranks end with other weights")
      precondition(
        other.summary.averagedWeightsDigest == summary.averagedWeightsDigest, "ranks end with other averages")
      precondition(other.summary.testLoss == summary.testLoss, "ranks end with another loss")
    }
  }

  private init(_ summary: TrainingSummary, _ listener: Listener) {
    self.summary = summary
    (description, reports, warnings) = (listener.description, listener.reports, listener.warnings)
    (mistakes, activities) = (listener.mistakes, listener.activities)
  }

  private final class Listener: Observer {
    weak var trainer: Trainer?
    var description: RunDescription?
    var reports: [EpochReport] = []
    var warnings: [String] = []
    var mistakes: [Mistake] = []
    var activities: [Activity?] = []
    private let onStep: (Trainer, Int) -> Void

    init(_ onStep: @escaping (Trainer, Int) -> Void) { self.onStep = onStep }

    func began(_ run: RunDescription) { description = run }
    func stepped(_ progress: EpochProgress) { if let trainer { onStep(trainer, progress.step) } }
    func endedEpoch(_ report: EpochReport) { reports.append(report) }
    func entered(_ activity: Activity) { activities.append(activity) }
    func left(_ activity: Activity) { activities.append(nil) }
    func warned(_ line: String) { warnings.append(line) }
    func finished(_ run: FinishedRun) { mistakes = run.mistakes }
  }
}
