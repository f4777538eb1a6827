import FoundationEssentials
import Lockstep
import Testing

/// A run of milliseconds on ranks that are threads: 84 images of 8 × 8, four full batches of 20 in microbatches of 4 an epoch and a
/// short one of a single microbatch, which at several ranks all but one hold nothing of.
struct SmallRun {
  /// How a rank's run ended, and what rank 0's observer was told.
  struct Outcome: Sendable {
    var digest: String?
    var error: TrainingError?
    var events: [String] = []
  }

  var recipe: Recipe
  var execution = Execution()
  var options = RunOptions()
  var training: any Dataset
  var test: any Dataset
  private let scratch: Scratch

  init() throws {
    let scratch = try Scratch()
    self.scratch = scratch
    func write(_ name: String, _ extents: [UInt8], _ count: Int, _ element: (Int) -> Int) throws {
      let header: [UInt8] = [0, 0, 8, UInt8(extents.count)] + extents.flatMap { [UInt8(0), 0, 0, $0] }
      let elements = (0..<count).map { place in UInt8(truncatingIfNeeded: element(place)) }
      try Data(header + elements).write(to: URL(fileURLWithPath: "\(scratch.path)/\(name)"))
    }
    for (part, count) in [("train", 84), ("t10k", 200)] {
      try write("\(part)-images-idx3-ubyte", [UInt8(count), 8, 8], count * 64) { ($0 * 2_654_435_761) >> 7 & 0xFF }
      try write("\(part)-labels-idx1-ubyte", [UInt8(count)], count) { $0 * 7 % 10 }
    }
    training = try ImageDataset.load(directory: scratch.path, part: .train)
    test = try ImageDataset.load(directory: scratch.path, part: .test)
    recipe = Recipe(
      model: try .named("mlp:64-16-10", input: [8, 8, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10))
    recipe.globalBatch = 20
    recipe.microbatch = 4
    recipe.epochs = 3
    options.directory = "\(scratch.path)/run"
    options.checkpointEvery = .epochs(100)
  }

  /// The step numbers of the checkpoints in the run directory.
  var checkpoints: [Int] {
    get throws {
      try CheckpointStore(directory: "\(scratch.path)/run/checkpoints").list().map(\.step).sorted()
    }
  }

  /// The digests of it on 1 to 4 ranks, in shared memory, apart, and apart with slices of the optimizer's state; nil of a run that fails.
  func digestsInEveryWay() throws -> Set<String?> {
    var run = self
    var digests: Set<String?> = []
    for ranks in 1...4 {
      for (sharesMemory, shards) in [(true, false), (false, false), (false, true)] {
        run.execution.sharesMemory = sharesMemory
        run.execution.shardsOptimizer = shards
        digests.formUnion(try run.run(ranks: ranks).map(\.digest))
      }
    }
    return digests
  }

  /// Removes the run directory.
  func startAnew() { try? FileManager.default.removeItem(atPath: "\(scratch.path)/run") }

  /// Runs it; every rank looks at its own one of `controls`. `onStep` is called on rank 0 with the step after each, `prepare` on each
  /// rank with its number before the first.
  func run(
    ranks: Int, controls: [RunControl]? = nil, onStep: @escaping @Sendable (Trainer, Int) -> Void = { _, _ in },
    prepare: @escaping @Sendable (Trainer, Int) -> Void = { _, _ in }
  ) throws -> [Outcome] {
    return try InProcessCommunicator.run(size: ranks) { [recipe, execution, options, training, test] communicator in
      let watcher = Watcher(onStep)
      var options = options
      options.control = controls?[communicator.rank] ?? RunControl()
      let trainer = try Trainer(
        recipe, training: training, test: test, execution: execution, options: options, on: communicator,
        observers: [watcher])
      watcher.trainer = trainer
      prepare(trainer, communicator.rank)
      do {
        return Outcome(digest: try trainer.run().weightsDigest, events: watcher.events)
      } catch let error as TrainingError {
        // An error of one rank alone must end the others too.
        if !error.isAgreed { throw error }
        return Outcome(error: error, events: watcher.events)
      }
    }
  }
}

private final class Watcher: Observer {
  weak var trainer: Trainer?
  private(set) var events: [String] = []
  private let onStep: (Trainer, Int) -> Void

  init(_ onStep: @escaping (Trainer, Int) -> Void) { self.onStep = onStep }

  func stepped(_ progress: EpochProgress) { if let trainer { onStep(trainer, progress.step) } }
  func endedEpoch(_ report: EpochReport) {
    events.append(
      "epoch \(report.training.epoch)" + (report.skippedSteps > 0 ? ", \(report.skippedSteps) skipped" : ""))
  }
  func saved(checkpoint path: String, step: Int) { events.append("saved \(step)") }
  func warned(_ line: String) { events.append("warned: \(line)") }
  func ended(_ summary: TrainingSummary) { events.append("ended") }
}

extension SmallRun {
  /// Stops the run behind step 7 on the first of each two numbers of ranks, goes on with it on the second, and expects the weights of a run
  /// that nothing stopped.
  mutating func expectToGoOn(onRanks pairs: [(before: Int, after: Int)]) throws {
    let whole = try ToldRun(self, ranks: 1).summary.weightsDigest
    for (before, after) in pairs {
      startAnew()
      let control = RunControl()
      let stopped = try run(ranks: before, controls: (0..<before).map { $0 == 0 ? control : RunControl() }) {
        if $1 == 6 { control.ask(.stop) }
      }
      #expect(stopped[0].error?.code == .stopped)
      let resumed = try ToldRun(self, ranks: after)
      #expect(resumed.description?.resumedAtStep == 7)
      #expect(resumed.summary.weightsDigest == whole, "\(before) and \(after) ranks")
    }
  }

  /// Expects that evaluations see samples as they are, and training does not.
  mutating func expectPlainEvaluations() throws {
    // So small a step that the weights stay nearly as they begin.
    recipe.learningRate = 1e-30
    options.directory = nil
    let told = try ToldRun(self, ranks: 1)
    recipe.augmentation = nil
    let plain = try ToldRun(self, ranks: 1)
    #expect(told.summary.testLoss == plain.summary.testLoss)
    #expect(told.reports[0].training.loss != plain.reports[0].training.loss)
  }
}
