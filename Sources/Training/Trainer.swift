import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Optimizers
import Privacy
import Steps
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
  /// The account of a private run; nil of others.
  let privacy: PrivacyAccount?
  /// The choice of an epoch's samples; nil for all of them, shuffled.
  let sampler: (any Sampler)?
  let network: Network
  let step: TrainingStep
  /// The evaluation after each epoch: on the validation data or, without any, on the test data.
  let evaluation: Evaluation
  /// The evaluation on the test data at the end; nil if it is that of the epochs.
  let finalEvaluation: Evaluation?
  /// The averages of the weights, which evaluations measure; nil if the weights themselves.
  let averages: AveragedParameters?
  /// The weights taken over from a file; nil except on rank 0 of a run that starts anew with some.
  let initialWeights: InitialWeights?
  let checkpoints: RunCheckpoints
  let drift: DriftCheck
  var nonFinite: NonFiniteSteps
  /// The name of each rank's host.
  let hostNames: [String]
  /// The record of the steps that are traced; nil if none are.
  let spans: RunSpans?
  /// Whether observers have been told of the trace.
  var hasTraced = false
  /// The energy that this host uses; nil on all ranks of a host but its first.
  let energy: EnergyMeter?
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
    deadline = options.deadline(on: communicator)
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
    let source = try plan.privacy?.settings.agreedSource(seed: recipe.seed, communicator)
    sampler = try source.flatMap { source in try plan.privacy?.sampler(source) }
    let names = try communicator.gatherText(ProcessFacts.hostName)
    hostNames = names
    energy = names.firstIndex(of: names[communicator.rank]) == communicator.rank ? EnergyMeter() : nil
    ranksTimes = names.map { _ in (0, 0) }

    let division = StepDivision(
      of: network.layout, optimizer: recipe.runOptimizer, communicator: communicator,
      method: recipe.reduction, sharesMemory: execution.sharesMemory, shards: execution.shardsOptimizer)
    let optimizer: any Optimizer
    let shards: OptimizerShards?
    do {
      let memory = try RunMemory(
        count: network.layout.count, names: recipe.runOptimizer.stateNames, division: division,
        communicator: communicator)
      momentBytes = memory.momentBytes
      optimizer = recipe.runOptimizer.makeOptimizer(
        state: memory.state, layout: network.layout, schedule: plan.schedule)
      step = try TrainingStep(
        (
          recipe.gradientSource(network, plan.training, batches),
          source.flatMap { source in plan.privacy.map { $0.perturbation(by: source, of: plan.network.layout) } }
        ), layout: network.layout, batches: batches, parameters: memory.parameters, optimizer: optimizer,
        division: division, communicator: communicator)
      spans = options.trace.map { _ in RunSpans(SpanRecorder()) }
      step.spans = spans
      if let recorder = spans?.recorder {
        network.stageObserver = StageSpans(network.stages, in: recorder)
        communicator.recordWaits(in: recorder)
      }
      step.clipNorm = recipe.clipNorm
      step.skipsNonFinite = execution.onNonFinite == .skip
      shards = OptimizerShards(memory, division, communicator: communicator)
    } catch {
      throw TrainingError(error)
    }
    evaluation = Evaluation(
      network: network, data: plan.validation ?? test, communicator: communicator, metrics: options.metrics)
    finalEvaluation =
      plan.validation == nil
      ? nil : Evaluation(network: network, data: test, communicator: communicator, metrics: options.metrics)
    averages = AveragedParameters(
      optimizer.state, count: network.layout.count, shards: shards, communicator: communicator)

    // The weights that a run begins with are a part of its recipe, so a run that goes on reads them, too.
    let weights = step.parameters
    let taken = try communicator.agree { () -> InitialWeights? in
      guard communicator.rank == 0 else { return nil }
      plan.network.initialise(weights, seed: recipe.seed)
      return try recipe.initialWeights.map { try InitialWeights(path: $0, of: plan.network, into: weights) }
    }
    var fingerprint = plan.fingerprint
    if recipe.initialWeights != nil { fingerprint["init_from"] = try communicator.fromFirst(taken?.digest.hex ?? "") }
    privacy = try plan.privacy.map { plan in
      PrivacyAccount(plan, before: try PrivacyLedger(text: communicator.fromFirst(taken?.spent?.text ?? "")))
    }
    fingerprint["private_before"] = privacy.flatMap { $0.before.entries.isEmpty ? nil : $0.before.text }

    var content = CheckpointContent(
      layout: network.layout, parameters: step.parameters, moments: shards?.makeWhole() ?? optimizer.state.moments,
      fingerprint: fingerprint, batches: batches)
    let (files, restored) = try audience.during(.restoring) {
      try communicator.agree { () -> (RunFiles?, RunState?) in
        guard communicator.rank == 0 else { return (nil, nil) }
        return try RunFiles.open(options, epochs: recipe.epochs, content, warn: audience.warn)
      }
    }
    // A new directory is named on rank 0, and every rank must know its name.
    if options.directory != nil {
      self.options.directory = try communicator.fromFirst(files?.directory.path ?? "")
    }
    let start = try shareStart(restored, seed: recipe.seed, content, shards, among: communicator)
    state = start ?? RunState(seed: recipe.seed)
    // A best epoch that is looked for no more would be one among the earlier epochs only.
    if !options.looksForBest { state.best = nil }
    initialWeights = start == nil ? taken : nil
    if let start { drift.hasRestored(start.step) } else { optimizer.begin(with: step.parameters) }
    // Whole moments exist only while a checkpoint is read or written.
    if shards != nil { content.moments = [] }
    checkpoints = RunCheckpoints(
      self.options, content, files: files, shards: shards, restored: start?.step, communicator: communicator,
      audience: audience, spans: spans)
  }
}
