import FoundationEssentials
import Lockstep
import Testing

/// A federated run of milliseconds on ranks that are threads: 12 clients with some of 240 images of 8 × 8.
struct SmallFederation {
  var recipe: FederatedRecipe
  var execution = Execution()
  var options = RunOptions()
  var evaluatesClients = false
  var training: any Dataset
  var test: any Dataset

  init() throws {
    training = try Self.images(240, seed: 1)
    test = try Self.images(50, seed: 2)
    recipe = FederatedRecipe(
      model: try .named("mlp:64-8-10", input: [8, 8, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10))
    recipe.clients = 12
    recipe.clientFraction = 0.5
    recipe.rounds = 3
    recipe.localEpochs = 2
    recipe.localBatch = 8
    recipe.seed = 4
  }

  /// Images whose brightness in a part says their label.
  private static func images(_ count: Int, seed: UInt64) throws -> InMemoryDataset {
    var words = Philox(seed: seed, purpose: .split, stream: 0)
    var pixels: [Float] = []
    for sample in 0..<count {
      for place in 0..<64 { pixels.append(0.5 * words.nextUniform() + (place % 10 == sample % 10 ? 0.5 : 0)) }
    }
    return try InMemoryDataset(
      inputs: Buffer(pixels), shape: [8, 8, 1], labels: Buffer((0..<count).map { Int32($0 % 10) }))
  }

  /// What rank 0's observer was told, and how the run ended.
  struct Outcome: Sendable {
    var summary: TrainingSummary?
    var error: TrainingError?
    var weights: [Float] = []
    var reports: [EpochReport] = []
    var saved: [Int] = []
    var warnings: [String] = []
    var resumedAt = 0

    var digest: String? { summary?.weightsDigest }
    var rounds: [RoundFigures] { reports.compactMap(\.round) }
  }

  /// Runs it on `ranks` ranks, which must all end alike. Rank 0 is asked to stop behind round `stopAfter`, or inside the round behind
  /// `stopInside`.
  func run(
    ranks: Int = 1, hosts: HostMap? = nil, stopAfter: Int? = nil, stopInside: Int? = nil,
    prepare: @escaping @Sendable (FederatedTrainer) -> Void = { _ in }
  ) throws -> Outcome {
    let outcomes = try InProcessCommunicator.run(size: ranks, hosts: hosts) {
      [recipe, execution, options, training, test, evaluatesClients] communicator in
      var options = options
      options.control = RunControl()
      let listener = Listener(options.control, stopAfter: stopAfter, stopInside: stopInside)
      let trainer = try FederatedTrainer(
        recipe, training: training, test: test, evaluatesClients: evaluatesClients, execution: execution,
        options: options, on: communicator, observers: [listener])
      prepare(trainer)
      do {
        listener.outcome.summary = try trainer.run()
      } catch let error as TrainingError {
        // An error of one rank alone must end the others too.
        if !error.isAgreed { throw error }
        listener.outcome.error = error
      }
      listener.outcome.weights = trainer.parameters.array
      return listener.outcome
    }
    for other in outcomes {
      precondition(other.digest == outcomes[0].digest && other.weights == outcomes[0].weights, "ranks end differently")
      precondition(other.summary?.testLoss == outcomes[0].summary?.testLoss, "ranks end with other losses")
    }
    return outcomes[0]
  }

  /// The digests on 1 to 4 ranks, in memory that they share and apart, and on two hosts.
  func digests() throws -> Set<String?> {
    var digests: Set<String?> = []
    var run = self
    for ranks in 1...4 {
      for sharesMemory in [true, false] {
        run.execution.sharesMemory = sharesMemory
        digests.insert(try run.run(ranks: ranks).digest)
      }
    }
    run.execution.sharesMemory = true
    digests.insert(try run.run(ranks: 3, hosts: HostMap(colours: [0, 0, 1])).digest)
    return digests
  }

  private final class Listener: Observer {
    var outcome = Outcome()
    private let control: RunControl
    private let stopAfter: Int?
    private let stopInside: Int?

    init(_ control: RunControl, stopAfter: Int?, stopInside: Int?) {
      (self.control, self.stopAfter, self.stopInside) = (control, stopAfter, stopInside)
    }

    func began(_ run: RunDescription) { outcome.resumedAt = run.resumedAtStep }
    func stepped(_ progress: EpochProgress) {
      if progress.step == stopInside && progress.samplesDone > 0 { control.ask(.stop) }
    }
    func endedEpoch(_ report: EpochReport) {
      outcome.reports.append(report)
      if report.training.step == stopAfter { control.ask(.stop) }
    }
    func warned(_ line: String) { outcome.warnings.append(line) }
    func saved(checkpoint path: String, step: Int) { outcome.saved.append(step) }
  }
}
