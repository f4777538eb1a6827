import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Privacy
import Steps
import Tensors
import Training

/// A whole federated run: rounds of clients' training, evaluations and checkpoints, on all ranks of a communicator, which share out the
/// clients of a round.
///
/// Every rank makes one and runs it; rank 0 also tells the observers, to whom a round is an epoch and a step, and writes the files.
///
///     var recipe = FederatedRecipe(model: model, loss: loss)
///     recipe.partition = .shards(perClient: 2)
///     let summary = try FederatedTrainer(recipe, training: training, test: test).run()
public final class FederatedTrainer {
  let plan: FederatedPlan
  let execution: Execution
  var options: RunOptions
  /// Whether the model is measured on the clients' data after every round, and not at the end alone.
  let evaluatesClients: Bool
  let communicator: any Communicator
  let audience: Audience
  /// The time at which rank 0 asks for the end; nil on other ranks, and without a limit.
  let deadline: ContinuousClock.Instant?
  /// The origin of a private run's choices and noise; nil of any other run.
  let source: RandomSource?
  let noise: UpdateNoise?
  let local: LocalTraining
  let server: ServerStep
  /// The variates of SCAFFOLD's clients; nil of other strategies.
  let variates: ClientVariates?
  let aggregation: any UpdateAggregation
  /// The norm that updates are clipped to; of no meaning in a run that does not clip. A checkpoint holds it.
  let clip: Buffer<Float>
  /// One client's update, and behind it what its variate moved.
  let update: Buffer<Float>
  /// The mean of a round's updates, and behind it the sum of what the variates moved.
  let mean: Buffer<Float>
  let correction: Buffer<Float>?
  let evaluation: Evaluation
  let clientEvaluation: ClientEvaluation
  let checkpoints: RunCheckpoints
  let drift: DriftCheck
  let hostNames: [String]
  let weights: Buffer<Float>

  /// The place of the run: `epoch` and `step` are the rounds that are over.
  var state: RunState
  var asked: RunRequests = []
  var secondsToFirstStep = 0.0
  var trainingTime = Duration.zero
  var trainedSamples = 0
  var updates = 0
  var dropped = 0
  var ranksTimes: [(compute: Double, reduction: Double)]

  /// The weights, a flat block of the network's layout, as they stand between two rounds.
  public var parameters: Buffer<Float> { weights }

  /// Plans a run and brings all ranks to its first round: weights from the seed, or from a checkpoint.
  ///
  /// Collective. Throws the same ``TrainingError`` on every rank if the run is impossible: values do not fit one another or differ between
  /// ranks, or data, checkpoint or run directory cannot be used.
  ///
  /// - Parameters:
  ///   - training: the samples of all clients; a ``JoinedDataset`` if each has its own (``ClientPartition/given``).
  ///   - evaluatesClients: whether the model is measured on the clients' data after every round, and not at the end alone.
  public init(
    _ recipe: FederatedRecipe, training: any Dataset, test: any Dataset, evaluatesClients: Bool = false,
    execution: Execution = Execution(), options: RunOptions = RunOptions(),
    on communicator: any Communicator = SoloCommunicator(), observers: [any Observer] = []
  ) throws {
    (self.execution, self.options, self.evaluatesClients) = (execution, options, evaluatesClients)
    self.communicator = communicator
    drift = DriftCheck(communicator)
    deadline = options.deadline(on: communicator)
    let audience = Audience(
      observers: communicator.rank == 0 ? observers : [], onFailure: options.onCheckpointFailure)
    self.audience = audience
    let plan = try communicator.agree {
      try prepareArithmetic()
      return try FederatedPlan(
        recipe, training: training, test: test, execution, options, ranks: communicator.size)
    }
    self.plan = plan
    try communicator.requireEqual(plan.facts + [("evaluate_clients", "\(evaluatesClients)")])
    try communicator.requireEqualArithmetic()
    source = try recipe.privacy?.agreedSource(seed: recipe.seed, communicator)
    noise = plan.mechanism.flatMap { UpdateNoise(recipe, $0) }
    hostNames = try communicator.gatherText(ProcessFacts.hostName)
    ranksTimes = hostNames.map { _ in (0, 0) }

    let layout = plan.network.layout
    let hasVariates = recipe.strategy == .scaffold
    let count = layout.count * (hasVariates ? 2 : 1)
    local = LocalTraining(plan)
    server = ServerStep(recipe, layout)
    variates =
      hasVariates
      ? ClientVariates(
        count: layout.count, clients: recipe.clients, mostClients: plan.mostClients, communicator: communicator) : nil
    do {
      switch recipe.aggregation {
      case .tree:
        aggregation = try TreeAggregation(
          count: count, parameters: layout.count, mostClients: plan.mostClients, sharesMemory: execution.sharesMemory,
          communicator: communicator)
      case .secure:
        aggregation = SecureUpdates(
          count: count, mostClients: plan.mostClients, largestWeight: plan.largestWeight, seed: recipe.seed,
          communicator: communicator)
      }
    } catch {
      throw TrainingError(error)
    }
    (update, mean) = (Buffer(count: count), Buffer(count: count))
    correction = hasVariates ? Buffer(count: layout.count) : nil
    clip = Buffer([recipe.updateClip?.initial ?? 0])
    evaluation = Evaluation(
      network: plan.network, data: test, communicator: communicator, metrics: options.metrics)
    clientEvaluation = ClientEvaluation(plan, communicator: communicator)

    let clip = clip
    let weights = Buffer<Float>(count: layout.count)
    self.weights = weights
    if communicator.rank == 0 { plan.network.initialise(weights, seed: recipe.seed) }
    let content = CheckpointContent(
      layout: layout, parameters: weights, moments: server.moments + (variates?.moments ?? []),
      fingerprint: plan.fingerprint, batches: try BatchPlan(samples: 1, globalBatch: 1),
      numbers: recipe.updateClip == nil ? [] : [("update_clip", clip)])
    let (files, restored) = try audience.during(.restoring) {
      try communicator.agree { () -> (RunFiles?, RunState?) in
        guard communicator.rank == 0 else { return (nil, nil) }
        let (files, restored) = try RunFiles.open(
          options, epochs: recipe.rounds, countedBy: .rounds, content, warn: audience.warn)
        // A right checksum shows that a file is as it was written, not who wrote it.
        guard recipe.updateClip == nil || (clip[0] >= 0x1p-60 && clip[0] <= 0x1p60) else {
          throw TrainingError(
            .badData,
            "the checkpoint of round \(restored?.step ?? 0) has an impossible update_clip, \(clip[0]); go on from another"
          )
        }
        return (files, restored)
      }
    }
    // A new directory is named on rank 0, and every rank must know its name.
    if options.directory != nil { self.options.directory = try communicator.fromFirst(files?.directory.path ?? "") }
    let moments = server.moments
    let rounds = try communicating {
      let rounds = try communicator.gather(words: [restored.map { UInt64($0.epoch) } ?? .max])[0][0]
      for values in [weights, clip] + moments.map(\.values) { try communicator.broadcast(values, from: 0) }
      return rounds
    }
    let start = rounds == .max ? nil : Int(rounds)
    state = RunState(epoch: start ?? 0, step: start ?? 0, seed: recipe.seed)
    if let start { drift.hasRestored(start) }
    checkpoints = RunCheckpoints(
      self.options, content, files: files, restored: start, communicator: communicator, audience: audience)
  }
}
