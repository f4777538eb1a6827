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
public final class Trainer {
  private var configuration: TrainingConfiguration
  private let communicator: any Communicator
  private let audience: Audience
  private let control: RunControl
  /// When rank 0 asks for the end.
  private let deadline: ContinuousClock.Instant?
  private let batches: BatchPlan
  private let network: Network
  private let step: TrainingStep
  private let evaluation: Evaluation
  private let checkpoints: RunCheckpoints
  private let drift: DriftCheck
  private var nonFinite: NonFiniteSteps
  private let hosts: Int
  private let momentBytes: Int

  /// Where the run stands: what a checkpoint says.
  private var state: RunState
  /// What ranks have asked for since the last step boundary at which that was looked at: the same on all.
  private var asked: RunRequests = []
  private var secondsToFirstStep = 0.0
  /// The time in steps, and the samples of them: no evaluation, no checkpoint.
  private var trainingTime = Duration.zero
  private var trainedSamples = 0
  private var ranksTimes: [(compute: Double, reduction: Double)]

  /// The weights, a flat block of the network's layout, as they stand between two steps.
  public var parameters: Buffer<Float> { step.parameters }

  /// Plans a run and brings all ranks to its first step: parameters from rank 0, or from a checkpoint.
  ///
  /// Collective. Throws on every rank alike where the run cannot be: arguments that contradict one another or another
  /// rank's, a run directory or checkpoint that cannot be used.
  public init(
    _ configuration: TrainingConfiguration, training: any Dataset, test: any Dataset, program: String,
    communicator: any Communicator, control: RunControl = RunControl(), observers: [any Observer] = []
  ) throws(TrainingError) {
    self.configuration = configuration
    self.communicator = communicator
    self.control = control
    drift = DriftCheck(communicator)
    deadline =
      communicator.rank == 0
      ? configuration.maxTime.map { .now + $0.duration - .seconds(ProcessFacts.secondsSinceStart) } : nil
    let audience = Audience(
      observers: communicator.rank == 0 ? observers : [], onFailure: configuration.onCheckpointFailure)
    self.audience = audience
    nonFinite = NonFiniteSteps(configuration, communicator: communicator, audience: audience)

    let plan = try communicator.agree { () throws(TrainingError) in
      try prepareArithmetic()
      return try RunPlan(configuration, training: training, test: test, program: program, ranks: communicator.size)
    }
    try communicator.requireEqual(plan.facts)
    try communicator.requireEqualArithmetic()
    (batches, network) = (plan.batches, plan.network)
    let names = try communicator.gatherText(ProcessFacts.hostName)
    hosts = Set(names).count
    ranksTimes = names.map { _ in (0, 0) }

    let division = StepDivision(
      of: network.layout, optimizer: configuration.optimizer, communicator: communicator,
      method: configuration.reduction, sharesMemory: configuration.sharesMemory, shards: configuration.shardsOptimizer)
    let optimizer: any Optimizer
    let shards: OptimizerShards?
    do throws(CommunicationError) {
      let memory = try RunMemory(
        count: network.layout.count, names: configuration.optimizer.stateNames, division: division,
        communicator: communicator)
      momentBytes = memory.momentBytes
      optimizer = configuration.optimizer.makeOptimizer(
        state: memory.state, layout: network.layout, schedule: plan.schedule)
      step = try TrainingStep(
        network: network, data: training, batches: batches, parameters: memory.parameters, optimizer: optimizer,
        division: division, communicator: communicator, method: configuration.reduction,
        clipNorm: configuration.clipNorm, skipsNonFinite: configuration.onNonFinite == .skip)
      shards = OptimizerShards(memory, division, communicator: communicator)
    } catch {
      throw TrainingError(.rankFailed, error.description)
    }
    evaluation = Evaluation(network: network, data: test, communicator: communicator)

    var content = CheckpointContent(
      layout: network.layout, parameters: step.parameters, moments: shards?.makeWhole() ?? optimizer.state.moments,
      recipe: plan.recipe, batches: batches)
    let (files, restored) = try communicator.agree { () throws(TrainingError) -> (RunFiles?, RunState?) in
      guard communicator.rank == 0 else { return (nil, nil) }
      plan.network.initialise(content.parameters, seed: configuration.seed)
      return try RunFiles.open(configuration, content, warn: audience.warn)
    }
    // Rank 0 has named a new directory, and all speak of it.
    if configuration.runDirectory != nil {
      self.configuration.runDirectory = try communicator.fromFirst(files?.directory.path ?? "")
    }
    let start = try Self.share(restored, seed: configuration.seed, content, shards, among: communicator)
    state = start ?? RunState(seed: configuration.seed)
    if let start { drift.hasRestored(start.step) }
    // Whole moments are there for as long as a checkpoint is read or written.
    if shards != nil { content.moments = [] }
    checkpoints = RunCheckpoints(
      configuration, content, files: files, shards: shards, restored: start?.step, pause: control.pause,
      communicator: communicator, audience: audience)
  }

  /// Gives every rank what rank 0 starts from; returns where it goes on from, if anywhere. Collective.
  private static func share(
    _ restored: RunState?, seed: UInt64, _ content: CheckpointContent, _ shards: OptimizerShards?,
    among communicator: any Communicator
  ) throws(TrainingError) -> RunState? {
    let words =
      restored.map {
        [UInt64($0.epoch), UInt64($0.sampleOffset), UInt64($0.step), $0.sums.loss.bitPattern]
          + [UInt64($0.sums.correct), UInt64($0.sums.samples), UInt64($0.sums.skippedSteps)]
      } ?? []
    return try communicating { () throws(CommunicationError) in
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

  /// Trains to the end and returns the summary, on every rank the same but for the observers being told on rank 0.
  ///
  /// Collective. Where its control or the clock stops it, it throws ``TrainingError/Code/stopped`` on every rank after a checkpoint,
  /// and the observers are told of no end. Else throws on the rank that failed; the others may be waiting for it, and whoever
  /// started the ranks must end them (`MPICommunicator.abort`).
  public func run() throws(TrainingError) -> TrainingSummary {
    // It may be another thread than that of the start.
    useDefaultFloatingPoint()
    let description = RunDescription(
      configuration: configuration, parameters: network.layout.learntCount, ranks: communicator.size, hosts: hosts,
      microbatch: batches.microbatch, samples: batches.samples, stepsPerEpoch: batches.steps,
      resumedAtStep: state.step, epochsDone: state.epoch,
      isComplete: state.epoch >= configuration.epochs || isAtLimit)
    try audience.tell { observer throws(TrainingError) in try observer.began(description) }
    var order = EpochOrder(seed: configuration.seed, epoch: state.epoch, count: batches.samples)
    var tested: Evaluation.Result?
    while state.epoch < configuration.epochs && !isAtLimit {
      if order.epoch != state.epoch { order.shuffle(epoch: state.epoch) }
      let (progress, skipped) = try trainEpoch(order)
      let (result, seconds) = try test()
      tested = result
      let report = EpochReport(
        training: progress, testLoss: result.sums.meanLoss,
        testAccuracy: result.sums.accuracy, evaluationSeconds: seconds,
        time: try meet(), skippedSteps: skipped)
      try checkpoints.requireLock()
      try audience.tell { observer throws(TrainingError) in try observer.endedEpoch(report) }
      try checkpoints.saveIfDue(state, epochEnded: state.sampleOffset == 0)
      if state.epoch < configuration.epochs && !isAtLimit { try answer() }
    }
    try checkpoints.save(state)
    let result = if let tested { tested } else { try test().result }
    let summary = try summarise(result)
    try checkpoints.requireLock()
    try audience.tell { observer throws(TrainingError) in try observer.ended(summary) }
    // Whoever wanted to go on regardless has the results, but must not take them for saved.
    if let failure = checkpoints.failure { throw failure }
    return summary
  }

  private var isAtLimit: Bool { configuration.maxSteps.map { state.step >= $0 } ?? false }

  /// From where the run stands to the epoch's end, or to the step limit; with the steps of the epoch that were skipped.
  private func trainEpoch(_ order: EpochOrder) throws(TrainingError) -> (Progress, skipped: Int) {
    var seconds = Duration.zero
    var samplesTimed = 0
    var progress = self.progress(seconds, samplesTimed)
    step.resetTimes()
    repeat {
      let start = ContinuousClock.now
      let batch = batches.batch(state.sampleOffset / batches.globalBatch)
      let outcome = try take(batch, of: order)
      asked.formUnion(outcome.requests)
      if outcome.isFinite {
        nonFinite.tookStep()
        state.sums.loss += outcome.losses.loss
        state.sums.correct += outcome.losses.correct
        state.sums.samples += outcome.losses.samples
      } else {
        try nonFinite.skip(step: state.step + 1, microbatch: step.nonFiniteMicrobatch)
        state.sums.skippedSteps += 1
      }
      if trainedSamples == 0 { secondsToFirstStep = ProcessFacts.secondsSinceStart }
      state.step += 1
      state.sampleOffset = batch.positions.upperBound
      trainedSamples += batch.positions.count
      samplesTimed += batch.positions.count
      seconds += .now - start
      communicator.entered(.report, step: state.step)
      progress = self.progress(seconds, samplesTimed)
      for observer in audience.observers { try observer.stepped(progress) }
      if case .steps(let count) = configuration.verifyEvery, state.step % count == 0 {
        try drift.verify(step.parameters, step: state.step)
      }
      // After the last step the checkpoint follows the epoch's record: once it is there, the epoch is not gone through again.
      if state.sampleOffset < batches.samples && !isAtLimit {
        try checkpoints.saveIfDue(state, epochEnded: false)
        try answer()
      }
    } while state.sampleOffset < batches.samples && !isAtLimit
    trainingTime += seconds
    let skipped = state.sums.skippedSteps
    if state.sampleOffset == batches.samples {
      state.epoch += 1
      state.sampleOffset = 0
      state.sums = EpochSums()
    }
    return (progress, skipped)
  }

  private func take(_ batch: Batch, of order: EpochOrder) throws(TrainingError) -> StepOutcome {
    do throws(CommunicationError) {
      return try step.take(batch, of: order, step: state.step + 1, asking: pending)
    } catch {
      throw TrainingError(.rankFailed, "step \(state.step + 1): \(error)")
    }
  }

  /// What this rank is asked for now.
  private var pending: RunRequests {
    var requests = control.pending
    if let deadline, .now >= deadline { requests.insert(.timeIsUp) }
    return requests
  }

  /// Does what any rank has asked for, at a step boundary after which the run goes on. Collective where it ends the run.
  private func answer() throws(TrainingError) {
    guard asked.isDisjoint(with: .ending) else { try stop() }
    guard asked.contains(.save) else { return }
    asked = []
    control.forget(.save)
    try checkpoints.saveOnRequest(state)
  }

  /// Ends the run after a checkpoint, on all ranks. Collective.
  private func stop() throws(TrainingError) -> Never {
    try communicator.agree { () throws(TrainingError) in
      try checkpoints.save(state)
      if let failure = checkpoints.failure { throw failure }
    }
    let cause = asked.contains(.stop) ? "a signal" : "--max-time"
    throw .agreed(
      .stopped,
      "stopped by \(cause) at step \(state.step) "
        + (configuration.runDirectory.map {
          "after a checkpoint; run the same command again with --run-dir \($0) to go on"
        }
          ?? "without a checkpoint, for there is no run directory"))
  }

  private func progress(_ time: Duration, _ samplesTimed: Int) -> Progress {
    let sums = state.sums
    // Of nothing there is no mean: not a number.
    let samples = Double(sums.samples)
    return Progress(
      epoch: state.epoch + 1, epochs: configuration.epochs, step: state.step, samplesDone: state.sampleOffset,
      samplesInEpoch: batches.samples, samplesCounted: sums.samples, samplesTimed: samplesTimed,
      seconds: time.seconds, loss: sums.loss / samples, accuracy: Double(sums.correct) / samples)
  }

  private func test() throws(TrainingError) -> (result: Evaluation.Result, seconds: Double) {
    let start = ContinuousClock.now
    // Who stops a job may not wait for the end of an evaluation.
    var isSaved = false
    let result = try evaluation.run(step.parameters) { () throws(TrainingError) in
      if !isSaved { isSaved = try checkpoints.saveAtOnce(state, asked: asked.union(pending)) }
    }
    return (result, (.now - start).seconds)
  }

  /// Adds all ranks' times since the last call to the run's, and says where they went; and hears what ranks have been asked for since
  /// the last step. Collective.
  private func meet() throws(TrainingError) -> TimeSplit {
    let times = step.times
    let mine = [times.compute.seconds.bitPattern, times.reduction.seconds.bitPattern, UInt64(pending.rawValue)]
    let words = try communicating { () throws(CommunicationError) in try communicator.gather(words: mine) }
    for rank in words { asked.formUnion(RunRequests(rawValue: UInt32(rank[2]))) }
    let all = words.map { (compute: Double(bitPattern: $0[0]), reduction: Double(bitPattern: $0[1])) }
    for rank in all.indices {
      ranksTimes[rank].compute += all[rank].compute
      ranksTimes[rank].reduction += all[rank].reduction
    }
    return TimeSplit(all)
  }

  private func summarise(_ tested: Evaluation.Result) throws(TrainingError) -> TrainingSummary {
    let peaks = try communicating { () throws(CommunicationError) in
      try communicator.gather(words: [UInt64(ProcessFacts.peakResidentBytes), UInt64(momentBytes)])
    }
    return TrainingSummary(
      model: configuration.model, parameters: network.layout.learntCount, ranks: communicator.size,
      globalBatch: configuration.globalBatch, microbatch: batches.microbatch, epochs: configuration.epochs,
      steps: state.step, seed: configuration.seed, reduction: configuration.reduction.rawValue,
      testAccuracy: tested.sums.accuracy, testLoss: tested.sums.meanLoss, testMetrics: tested.report,
      trainSamplesPerSecond: trainingTime > .zero ? Double(trainedSamples) / trainingTime.seconds : 0,
      secondsTotal: ProcessFacts.secondsSinceStart, secondsToFirstStep: secondsToFirstStep,
      communicationFraction: TimeSplit(ranksTimes).communicationFraction,
      peakResidentBytes: Int(peaks.map { $0[0] }.max() ?? 0), momentBytes: Int(peaks.map { $0[1] }.max() ?? 0),
      weightsDigest: network.layout.digest(of: step.parameters).hex)
  }
}
