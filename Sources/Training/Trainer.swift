import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Optimizers
import Tensors

/// A whole run: epochs of steps, evaluations and checkpoints, on all ranks of a communicator.
///
/// Every rank makes one and runs it; rank 0 also tells the observers and writes the files.
///
///     let summary = try Trainer(recipe, training: training, test: test).run()
public final class Trainer {
  let recipe: Recipe
  let execution: Execution
  var options: RunOptions
  let communicator: any Communicator
  let audience: Audience
  /// The time at which rank 0 asks for the end; nil on other ranks, and without a limit.
  let deadline: ContinuousClock.Instant?
  let batches: BatchPlan
  let network: Network
  let step: TrainingStep
  let evaluation: Evaluation
  let checkpoints: RunCheckpoints
  let drift: DriftCheck
  var nonFinite: NonFiniteSteps
  let hosts: Int
  let momentBytes: Int

  /// The place of the run, as a checkpoint holds it.
  var state: RunState
  /// The requests of all ranks that have not been answered yet: the same on all.
  var asked: RunRequests = []
  var secondsToFirstStep = 0.0
  /// The time in steps, without evaluations and checkpoints.
  var trainingTime = Duration.zero
  /// The samples of those steps.
  var trainedSamples = 0
  var ranksTimes: [(compute: Double, reduction: Double)]

  /// The weights, a flat block of the network's layout, as they stand between two steps.
  public var parameters: Buffer<Float> { step.parameters }

  /// Plans a run and brings all ranks to its first step: parameters from rank 0, or from a checkpoint.
  ///
  /// Collective. Throws the same ``TrainingError`` on every rank if the run is impossible: values do not fit one
  /// another or differ between ranks, or data, checkpoint or run directory cannot be used.
  public init(
    _ recipe: Recipe, training: any Dataset, test: any Dataset, execution: Execution = Execution(),
    options: RunOptions = RunOptions(), on communicator: any Communicator = SoloCommunicator(),
    observers: [any Observer] = []
  ) throws {
    (self.recipe, self.execution, self.options) = (recipe, execution, options)
    self.communicator = communicator
    drift = DriftCheck(communicator)
    deadline =
      communicator.rank == 0
      ? options.maxTime.map { .now + $0.duration - .seconds(ProcessFacts.secondsSinceStart) } : nil
    let audience = Audience(
      observers: communicator.rank == 0 ? observers : [], onFailure: options.onCheckpointFailure)
    self.audience = audience
    nonFinite = NonFiniteSteps(execution, communicator: communicator, audience: audience)

    let plan = try communicator.agree {
      try prepareArithmetic()
      return try RunPlan(recipe, training: training, test: test, execution, options, ranks: communicator.size)
    }
    try communicator.requireEqual(plan.facts)
    try communicator.requireEqualArithmetic()
    (batches, network) = (plan.batches, plan.network)
    let names = try communicator.gatherText(ProcessFacts.hostName)
    hosts = Set(names).count
    ranksTimes = names.map { _ in (0, 0) }

    let division = StepDivision(
      of: network.layout, optimizer: recipe.optimizer, communicator: communicator,
      method: recipe.reduction, sharesMemory: execution.sharesMemory, shards: execution.shardsOptimizer)
    let optimizer: any Optimizer
    let shards: OptimizerShards?
    do {
      let memory = try RunMemory(
        count: network.layout.count, names: recipe.optimizer.stateNames, division: division,
        communicator: communicator)
      momentBytes = memory.momentBytes
      optimizer = recipe.optimizer.makeOptimizer(
        state: memory.state, layout: network.layout, schedule: plan.schedule)
      step = try TrainingStep(
        recipe.gradientSource(network, training, batches), layout: network.layout, batches: batches,
        parameters: memory.parameters, optimizer: optimizer, division: division, communicator: communicator)
      step.clipNorm = recipe.clipNorm
      step.skipsNonFinite = execution.onNonFinite == .skip
      shards = OptimizerShards(memory, division, communicator: communicator)
    } catch {
      throw TrainingError(error)
    }
    evaluation = Evaluation(
      network: network, data: test, communicator: communicator, metrics: options.metrics)

    var content = CheckpointContent(
      layout: network.layout, parameters: step.parameters, moments: shards?.makeWhole() ?? optimizer.state.moments,
      fingerprint: plan.fingerprint, batches: batches)
    let (files, restored) = try communicator.agree { () -> (RunFiles?, RunState?) in
      guard communicator.rank == 0 else { return (nil, nil) }
      plan.network.initialise(content.parameters, seed: recipe.seed)
      return try RunFiles.open(options, epochs: recipe.epochs, content, warn: audience.warn)
    }
    // A new directory is named on rank 0, and every rank must know its name.
    if options.directory != nil {
      self.options.directory = try communicator.fromFirst(files?.directory.path ?? "")
    }
    let start = try Self.share(restored, seed: recipe.seed, content, shards, among: communicator)
    state = start ?? RunState(seed: recipe.seed)
    if let start { drift.hasRestored(start.step) }
    // Whole moments exist only while a checkpoint is read or written.
    if shards != nil { content.moments = [] }
    checkpoints = RunCheckpoints(
      self.options, content, files: files, shards: shards, restored: start?.step, communicator: communicator,
      audience: audience)
  }

  /// Gives every rank the weights and moments of rank 0. Returns the place that the run goes on from; nil if it starts
  /// anew. Collective.
  private static func share(
    _ restored: RunState?, seed: UInt64, _ content: CheckpointContent, _ shards: OptimizerShards?,
    among communicator: any Communicator
  ) throws -> RunState? {
    let words =
      restored.map {
        [UInt64($0.epoch), UInt64($0.sampleOffset), UInt64($0.step), $0.sums.loss.bitPattern]
          + [UInt64($0.sums.correct), UInt64($0.sums.samples), UInt64($0.sums.skippedSteps)]
      } ?? []
    return try communicating {
      let shared = try communicator.gather(words: words)[0]
      try communicator.broadcast(content.parameters, from: 0)
      if let shards {
        try shards.scatter(content.moments)
      } else {
        for (_, values) in content.moments { try communicator.broadcast(values, from: 0) }
      }
      guard shared.count == 7 else { return nil }
      var state = RunState(epoch: Int(shared[0]), sampleOffset: Int(shared[1]), step: Int(shared[2]), seed: seed)
      state.sums = EpochSums(
        loss: Double(bitPattern: shared[3]), correct: Int(shared[4]), samples: Int(shared[5]),
        skippedSteps: Int(shared[6]))
      return state
    }
  }
}
