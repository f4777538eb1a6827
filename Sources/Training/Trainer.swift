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
  private let configuration: TrainingConfiguration
  private let communicator: any Communicator
  private let observers: [any Observer]
  private let batches: BatchPlan
  private let network: Network
  private let step: TrainingStep
  private let evaluation: Evaluation
  private let files: RunFiles?
  private let recipe: Recipe
  /// Where every rank has only a slice of the moments.
  private let shards: OptimizerShards?
  private let hosts: Int
  private let control: RunControl
  private let drift: DriftCheck
  /// When rank 0 asks for the end.
  private let deadline: ContinuousClock.Instant?

  /// Where the run stands: what a checkpoint says.
  private var state: RunState
  private var savedAtStep: Int?
  private var savedAt = ContinuousClock.now
  /// Why the last checkpoint that was due is not there.
  private var saveFailure: TrainingError?
  /// When the last checkpoint that was asked for was written.
  private var savedOnRequestAt: ContinuousClock.Instant?
  /// What ranks have asked for since the last step boundary at which that was looked at: the same on all.
  private var asked: RunRequests = []
  /// The steps of this epoch that were not taken, and those one after another up to now.
  private var skipped = 0
  private var skippedInARow = 0
  /// The step after which all ranks were last seen to have the same weights.
  private var verifiedAtStep = 0
  private var secondsToFirstStep = 0.0
  /// The time in steps, and the samples of them: no evaluation, no checkpoint.
  private var trainingTime = Duration.zero
  private var trainedSamples = 0
  private let momentBytes: Int
  private var ranksTimes: [(compute: Double, reduction: Double)]

  /// The weights, a flat block of the network's layout, as they stand between two steps.
  public var parameters: Buffer<Float> { step.parameters }

  /// Plans a run and brings all ranks to its first step: parameters from rank 0, or from a checkpoint.
  ///
  /// Collective. Throws on every rank alike where the run cannot be: arguments that contradict one another or another
  /// rank's, a run directory or checkpoint that cannot be used.
  public init(
    _ configuration: TrainingConfiguration, training: ImageDataset, test: ImageDataset, program: String,
    communicator: any Communicator, control: RunControl = RunControl(), observers: [any Observer] = []
  ) throws(TrainingError) {
    self.configuration = configuration
    self.communicator = communicator
    self.control = control
    drift = DriftCheck(communicator)
    deadline =
      communicator.rank == 0
      ? configuration.maxTime.map { .now + $0.duration - .seconds(ProcessFacts.secondsSinceStart) } : nil
    self.observers = communicator.rank == 0 ? observers : []
    useOneBLASThread()

    let plan = try communicator.agree { () throws(TrainingError) in
      try RunPlan(configuration, training: training, test: test, program: program, ranks: communicator.size)
    }
    try communicator.requireEqual(plan.facts)
    (batches, network, recipe) = (plan.batches, plan.network, plan.recipe)
    let names = try communicator.gatherText(ProcessFacts.hostName)
    hosts = Set(names).count
    ranksTimes = names.map { _ in (0, 0) }

    let sharesMemory = configuration.sharesMemory && configuration.reduction == .lockstep
    let shardsOptimizer = configuration.shardsOptimizer && configuration.reduction == .lockstep
    let slices = TrainingStep.slices(of: network, ranks: communicator.size)
    let optimizer: Adam
    do throws(CommunicationError) {
      let memory = try RunMemory(
        count: network.layout.count, slice: slices[communicator.rank], communicator: communicator,
        sharesMemory: sharesMemory, shardsOptimizer: shardsOptimizer)
      momentBytes = memory.momentBytes
      optimizer = Adam(
        firstMoment: memory.firstMoment, secondMoment: memory.secondMoment, learningRate: configuration.learningRate,
        schedule: plan.schedule)
      step = try TrainingStep(
        network: network, data: training, batches: batches, parameters: memory.parameters, optimizer: optimizer,
        keeping: memory.kept, communicator: communicator, method: configuration.reduction, sharesMemory: sharesMemory,
        stepsSlices: shardsOptimizer, clipNorm: configuration.clipNorm,
        skipsNonFinite: configuration.onNonFinite == .skip)
      shards =
        memory.isSharded ? OptimizerShards(optimizer, slices: slices, communicator: communicator) : nil
    } catch {
      throw TrainingError(.rankFailed, error.description)
    }
    evaluation = Evaluation(network: network, data: test, communicator: communicator)
    state = RunState(seed: configuration.seed)

    let moments = shards?.makeWhole() ?? optimizer.state
    let content = CheckpointContent(
      layout: network.layout, parameters: step.parameters, moments: moments, recipe: recipe)
    let (rank, observed) = (communicator.rank, self.observers)
    let layout = network
    let parameters = step.parameters
    let (files, restored) = try communicator.agree { () throws(TrainingError) -> (RunFiles?, RunState?) in
      guard rank == 0 else { return (nil, nil) }
      layout.initialise(parameters, seed: configuration.seed)
      return try Self.open(configuration, content) { line in for observer in observed { observer.warned(line) } }
    }
    self.files = files
    try share(restored, moments)
  }

  /// On rank 0: the run's files, and where it goes on from.
  private static func open(
    _ configuration: TrainingConfiguration, _ content: CheckpointContent, warn: (String) -> Void
  ) throws(TrainingError) -> (RunFiles?, RunState?) {
    let files = try configuration.runDirectory.map { path throws(TrainingError) in
      try RunFiles(path, keep: configuration.keep)
    }
    switch configuration.resume {
    case .never:
      if let files, let step = try files.newestStep() {
        throw TrainingError(
          .cannotWrite,
          "\(files.directory.path): holds a run that reached step \(step); give --resume auto to go on from there, "
            + "or another --run-dir")
      }
      return (files, nil)
    case .auto:
      return (files, try files?.restoreNewest(into: content, strict: configuration.strict, warn: warn) ?? nil)
    case .file(let path):
      return (
        files,
        try reading { () throws(CheckpointError) in try content.read(try CheckpointFile(path), warn: warn) }
      )
    }
  }

  /// Gives every rank what rank 0 starts from. Collective.
  private func share(_ restored: RunState?, _ moments: [OptimizerShards.Moment]) throws(TrainingError) {
    let words = restored.map { [UInt64($0.epoch), UInt64($0.sampleOffset), UInt64($0.step)] } ?? []
    try communicating { () throws(CommunicationError) in
      let shared = try communicator.gather(words: words)[0]
      if shared.count == 3 {
        state = RunState(
          epoch: Int(shared[0]), sampleOffset: Int(shared[1]), step: Int(shared[2]), seed: configuration.seed)
        savedAtStep = state.step
        verifiedAtStep = state.step
      }
      try communicator.broadcast(step.parameters, from: 0)
      if let shards { return try shards.scatter(moments) }
      for (_, values) in moments { try communicator.broadcast(values, from: 0) }
    }
  }

  /// Trains to the end and returns the summary, on every rank the same but for the observers being told on rank 0.
  ///
  /// Collective. Where its control or the clock stops it, it throws ``TrainingError/Code/stopped`` on every rank after a checkpoint,
  /// and the observers are told of no end. Else throws on the rank that failed; the others may be waiting for it, and whoever started the ranks must end
  /// them (`MPICommunicator.abort`).
  public func run() throws(TrainingError) -> TrainingSummary {
    let description = RunDescription(
      configuration: configuration, parameters: network.layout.learntCount, ranks: communicator.size, hosts: hosts,
      microbatch: batches.microbatch, samples: batches.samples, stepsPerEpoch: batches.steps,
      resumedAtStep: state.step)
    try tell { observer throws(TrainingError) in try observer.began(description) }
    var order = EpochOrder(seed: configuration.seed, epoch: state.epoch, count: batches.samples)
    var tested: LossSums?
    while state.epoch < configuration.epochs && !isAtLimit {
      if order.epoch != state.epoch { order.shuffle(epoch: state.epoch) }
      let progress = try trainEpoch(order)
      let (sums, seconds) = try test()
      tested = sums
      let report = EpochReport(
        training: progress, testLoss: sums.loss / Double(sums.samples),
        testAccuracy: Double(sums.correct) / Double(sums.samples), evaluationSeconds: seconds,
        time: try meet(), skippedSteps: skipped)
      try tell { observer throws(TrainingError) in try observer.endedEpoch(report) }
      try saveIfDue(epochEnded: state.sampleOffset == 0)
      if state.epoch < configuration.epochs && !isAtLimit { try answer() }
    }
    if try isSaveAgreed(savedAtStep != state.step) { try save() }
    if tested == nil { tested = try test().sums }
    let summary = try summarise(tested ?? LossSums())
    try tell { observer throws(TrainingError) in try observer.ended(summary) }
    // Whoever wanted to go on regardless has the results, but must not take them for saved.
    if let saveFailure { throw saveFailure }
    return summary
  }

  private var isAtLimit: Bool { configuration.maxSteps.map { state.step >= $0 } ?? false }

  /// From where the run stands to the epoch's end, or to the step limit.
  private func trainEpoch(_ order: EpochOrder) throws(TrainingError) -> Progress {
    var sums = LossSums()
    var seconds = Duration.zero
    var progress = self.progress(sums, seconds)
    step.resetTimes()
    skipped = 0
    repeat {
      let start = ContinuousClock.now
      let batch = batches.batch(state.sampleOffset / batches.globalBatch)
      let outcome = try take(batch, of: order)
      asked.formUnion(outcome.requests)
      if outcome.isFinite {
        skippedInARow = 0
        sums.loss += outcome.losses.loss
        sums.correct += outcome.losses.correct
        sums.samples += outcome.losses.samples
      } else {
        try skip()
      }
      if trainedSamples == 0 { secondsToFirstStep = ProcessFacts.secondsSinceStart }
      state.step += 1
      state.sampleOffset = batch.positions.upperBound
      trainedSamples += batch.positions.count
      seconds += .now - start
      communicator.entered(.report, step: state.step)
      progress = self.progress(sums, seconds)
      for observer in observers { try observer.stepped(progress) }
      try verifyIfDue()
      // After the last step the checkpoint follows the epoch's record: once it is there, the epoch is not gone through again.
      if state.sampleOffset < batches.samples && !isAtLimit {
        try saveIfDue(epochEnded: false)
        try answer()
      }
    } while state.sampleOffset < batches.samples && !isAtLimit
    trainingTime += seconds
    if state.sampleOffset == batches.samples {
      state.epoch += 1
      state.sampleOffset = 0
    }
    return progress
  }

  private func take(_ batch: Batch, of order: EpochOrder) throws(TrainingError) -> StepOutcome {
    do throws(CommunicationError) {
      return try step.take(batch, of: order, step: state.step + 1, asking: pending)
    } catch {
      throw TrainingError(.rankFailed, "step \(state.step + 1): \(error)")
    }
  }

  /// Goes on without the step whose loss or gradient was not finite, or ends the run. Collective.
  private func skip() throws(TrainingError) {
    skipped += 1
    skippedInARow += 1
    let what = try nonFiniteLine()
    switch configuration.onNonFinite {
    case .stop:
      throw agreed(
        .rankFailed,
        "\(what); the step was not taken, and checkpoints are from before it: lower --learning-rate, set --clip-norm, or give "
          + "--on-nonfinite skip")
    case .skip where skippedInARow > configuration.nonFiniteLimit:
      throw agreed(
        .rankFailed,
        "\(what), as in the \(skippedInARow - 1) steps before it, and --nonfinite-limit is \(configuration.nonFiniteLimit): lower "
          + "--learning-rate or set --clip-norm")
    case .skip:
      for observer in observers { observer.warned("\(what); the step was skipped, \(skippedInARow) in a row") }
    }
  }

  /// What was not finite, and where it first arose. Collective.
  private func nonFiniteLine() throws(TrainingError) -> String {
    let mine = step.nonFiniteMicrobatch.map { [UInt64($0)] } ?? []
    let microbatches = try communicating { () throws(CommunicationError) in try communicator.gather(words: mine) }
    let hosts = try communicator.gatherText(ProcessFacts.hostName)
    // Ranks hold microbatches in their order.
    guard let rank = microbatches.firstIndex(where: { !$0.isEmpty }) else {
      return "step \(state.step + 1): the gradient is not finite"
    }
    return
      "step \(state.step + 1): the loss is not finite, first in microbatch \(microbatches[rank][0]) on rank \(rank) on "
      + hosts[rank]
  }

  /// Ends the run where ranks have come to compute with different weights. Collective.
  private func verifyIfDue() throws(TrainingError) {
    guard case .steps(let count) = configuration.verifyEvery, state.step % count == 0 else { return }
    let ranks = try communicating { () throws(CommunicationError) in try drift.differingRanks(step.parameters) }
    guard !ranks.isEmpty else {
      verifiedAtStep = state.step
      return
    }
    let hosts = try communicator.gatherText(ProcessFacts.hostName)
    let names = ranks.map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    let right = (0..<communicator.size).first { !ranks.contains($0) } ?? 0
    throw agreed(
      .rankFailed,
      "step \(state.step): the weights of \(names) differ from those of rank \(right) on \(hosts[right]), as they did not after step "
        + "\(verifiedAtStep): look for a faulty processor or memory, and go on from a checkpoint of step \(verifiedAtStep) or before"
    )
  }

  /// An error that every rank throws.
  private func agreed(_ code: TrainingError.Code, _ line: String) -> TrainingError {
    var error = TrainingError(code, line)
    error.isAgreed = true
    return error
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
    if try isSaveAgreed(isNewRequest() && savedAtStep != state.step) { try save() }
  }

  /// Whether a request for a checkpoint is another one than that which was last served; it is served with this.
  private func isNewRequest() -> Bool {
    if let last = savedOnRequestAt, .now - last < control.pause { return false }
    savedOnRequestAt = .now
    return true
  }

  /// Ends the run after a checkpoint, on all ranks. Collective.
  private func stop() throws(TrainingError) -> Never {
    try communicator.agree { () throws(TrainingError) in
      if try isSaveAgreed(savedAtStep != state.step) { try save() }
      if let saveFailure { throw saveFailure }
    }
    let cause = asked.contains(.stop) ? "a signal" : "--max-time"
    throw agreed(
      .stopped,
      "stopped by \(cause) at step \(state.step) "
        + (configuration.runDirectory.map {
          "after a checkpoint; run the same command again with --run-dir \($0) to go on"
        }
          ?? "without a checkpoint, for there is no run directory"))
  }

  private func progress(_ sums: LossSums, _ time: Duration) -> Progress {
    let samples = Double(max(sums.samples, 1))
    return Progress(
      epoch: state.epoch + 1, epochs: configuration.epochs, step: state.step, samplesDone: state.sampleOffset,
      samplesInEpoch: batches.samples, samplesTimed: sums.samples, seconds: time.seconds, loss: sums.loss / samples,
      accuracy: Double(sums.correct) / samples)
  }

  private func test() throws(TrainingError) -> (sums: LossSums, seconds: Double) {
    let start = ContinuousClock.now
    var isSaved = savedAtStep == state.step
    let sums = try evaluation.run(step.parameters) { () throws(TrainingError) in
      // Who stops a job may not wait for the end of an evaluation, and the weights stand still: rank 0 saves them right away, if it
      // has all that there is to save.
      guard shards == nil, !isSaved else { return }
      let asked = asked.union(pending)
      guard !asked.isDisjoint(with: .ending) || asked.contains(.save) && isNewRequest() else { return }
      isSaved = true
      try save()
    }
    return (sums, (.now - start).seconds)
  }

  private func saveIfDue(epochEnded: Bool) throws(TrainingError) {
    let isDue =
      switch configuration.checkpointEvery {
      case .epochs(let count): epochEnded && state.epoch % count == 0
      case .steps(let count): state.step % count == 0
      case .minutes(let count): (.now - savedAt).seconds >= count * 60
      }
    // The clocks of ranks differ; epochs and steps do not.
    let isClear = if case .minutes = configuration.checkpointEvery { false } else { !isDue }
    if isClear { return }
    if try isSaveAgreed(isDue && savedAtStep != state.step) { try save() }
  }

  /// Whether to save now: what rank 0 says, where all ranks must take part. Collective there.
  private func isSaveAgreed(_ mine: Bool) throws(TrainingError) -> Bool {
    guard shards != nil, configuration.runDirectory != nil else { return mine }
    return try communicating { () throws(CommunicationError) in
      try communicator.gather(words: [mine ? 1 : 0])[0][0] == 1
    }
  }

  /// On rank 0; the others go on, and meet it at the next reduction. Collective where ranks have slices of the moments.
  private func save() throws(TrainingError) {
    guard configuration.runDirectory != nil else { return }
    let moments = try communicating { () throws(CommunicationError) in
      try shards?.gather() ?? step.optimizer.state
    }
    guard let files else { return }
    communicator.entered(.checkpoint, step: state.step)
    guard allFinite(step.parameters) else {
      throw TrainingError(
        .rankFailed,
        "step \(state.step): the weights are not finite and are not saved; checkpoints are from before: lower --learning-rate"
      )
    }
    // Failed or not: the next is due an interval later.
    defer { savedAt = .now }
    let content = CheckpointContent(
      layout: network.layout, parameters: step.parameters, moments: moments, recipe: recipe)
    let path: String
    do throws(TrainingError) { path = try files.save(content, state, warn: warn) } catch {
      saveFailure = error
      return try warnOrThrow(error)
    }
    savedAtStep = state.step
    saveFailure = nil
    try tell { observer throws(TrainingError) in try observer.saved(checkpoint: path, step: state.step) }
  }

  /// Tells the observers; one that cannot write its file ends the run, or is heard as a warning.
  private func tell(_ message: (any Observer) throws(TrainingError) -> Void) throws(TrainingError) {
    for observer in observers {
      do throws(TrainingError) { try message(observer) } catch { try warnOrThrow(error) }
    }
  }

  private func warnOrThrow(_ error: TrainingError) throws(TrainingError) {
    guard error.code == .cannotWrite, configuration.onCheckpointFailure == .goOn else { throw error }
    warn(error.description)
  }

  private func warn(_ line: String) {
    for observer in observers { observer.warned(line) }
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

  private func summarise(_ tested: LossSums) throws(TrainingError) -> TrainingSummary {
    let peaks = try communicating { () throws(CommunicationError) in
      try communicator.gather(words: [UInt64(ProcessFacts.peakResidentBytes), UInt64(momentBytes)])
    }
    return TrainingSummary(
      model: configuration.model, parameters: network.layout.learntCount, ranks: communicator.size,
      globalBatch: configuration.globalBatch, microbatch: batches.microbatch, epochs: configuration.epochs,
      steps: state.step, seed: configuration.seed, reduction: configuration.reduction.rawValue,
      testAccuracy: Double(tested.correct) / Double(tested.samples),
      testLoss: tested.loss / Double(tested.samples),
      trainSamplesPerSecond: trainingTime > .zero ? Double(trainedSamples) / trainingTime.seconds : 0,
      secondsTotal: ProcessFacts.secondsSinceStart, secondsToFirstStep: secondsToFirstStep,
      communicationFraction: TimeSplit(ranksTimes).communicationFraction,
      peakResidentBytes: Int(peaks.map { $0[0] }.max() ?? 0), momentBytes: Int(peaks.map { $0[1] }.max() ?? 0),
      weightsDigest: network.layout.digest(of: step.parameters).hex)
  }
}
