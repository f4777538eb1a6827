import Checkpoints
import Collectives
import Datasets
import Kernels
import Steps
import Tensors

/// The loop of a run, from its first step to its end.
extension Trainer {
  /// Trains to the end and returns the summary, the same on every rank. Only rank 0 tells the observers.
  ///
  /// Collective. If its control or the clock stops the run, it saves a checkpoint and throws
  /// ``TrainingError/Code/stopped`` on every rank; the observers are told of no end.
  ///
  /// Any other ``TrainingError`` may be that of one rank, while the others wait for it: whoever started the ranks must
  /// end them (`MPICommunicator.abort`).
  @discardableResult
  public func run() throws -> TrainingSummary {
    do { return try trainToEnd() } catch { throw TrainingError(error) }
  }

  private func trainToEnd() throws -> TrainingSummary {
    // This thread may be another than that of the start.
    useDefaultFloatingPoint()
    // The run may have been stopped after an epoch and before it was judged. To judge an epoch again changes nothing.
    if options.looksForBest && state.step > 0 && state.sampleOffset == 0 {
      judge(try evaluate(evaluation).result)
    }
    let description = RunDescription(
      recipe: recipe, execution: execution, options: options, parameters: network.layout.learntCount,
      ranks: communicator.size, hostNames: hostNames,
      microbatch: batches.microbatch, samples: samples, stepsPerEpoch: batches.steps,
      resumedAtStep: state.step, epochsDone: state.epoch,
      isComplete: isOver, initialWeights: initialWeights)
    try audience.tell { try $0.began(description) }
    // A run that goes on behind the steps has no trace of them, and leaves that of the run before alone.
    hasTraced = options.trace.map { state.step >= $0.upperBound } ?? true
    var order = EpochOrder(seed: recipe.seed, epoch: state.epoch, count: batches.samples, sampler: sampler)
    var evaluated: Evaluation.Result?
    while !isOver {
      if order.epoch != state.epoch { order.shuffle(epoch: state.epoch) }
      let (progress, skipped) = try trainEpoch(order)
      let (result, seconds) = try evaluate(evaluation)
      evaluated = result
      let (time, noise) = try meet()
      let report = EpochReport(
        training: progress, evaluated: finalEvaluation == nil ? .test : .validation, testLoss: result.sums.meanLoss,
        testAccuracy: result.accuracy, testScores: result.scores, evaluationSeconds: seconds,
        time: time, skippedSteps: skipped, gradientNorm: noise?.norm, gradientNoiseScale: noise?.scale,
        layout: network.layout, parameters: step.parameters, privacy: try privacy?.spent(state.step))
      try checkpoints.requireLock()
      try audience.tell { try $0.endedEpoch(report) }
      if options.looksForBest && state.sampleOffset == 0 && judge(result) {
        try checkpoints.save(state)
      } else {
        try checkpoints.saveIfDue(state, epochEnded: state.sampleOffset == 0)
      }
      try traceIfDue()
      if !isOver { try checkpoints.answer(&asked, state, between: .steps) }
    }
    try checkpoints.save(state)
    let result = if let evaluated { evaluated } else { try evaluate(evaluation).result }
    let tested = try finalEvaluation.map { try evaluate($0).result } ?? result
    let counters = try countFinalMetrics()
    let averaged = try communicating { try averages?.gather() }
    let summary = try summarise(tested: tested, validated: finalEvaluation == nil ? nil : result, averaged: averaged)
    try checkpoints.requireLock()
    try audience.tell { try $0.ended(summary) }
    let finished = FinishedRun(
      summary: summary, network: network, parameters: averaged ?? step.parameters,
      test: (finalEvaluation ?? evaluation).data, mistakes: tested.mistakes, counters: counters)
    try audience.tell { try $0.finished(finished) }
    // The user has the results now, but must not take them for saved.
    if let failure = checkpoints.failure { throw failure }
    return summary
  }

  /// Whether no step is left to take, between two epochs or at the step limit.
  var isOver: Bool { state.epoch >= recipe.epochs || isAtLimit || isStoppedEarly }

  /// Whether the epochs since the best one are as many as the run is patient, at the end of an epoch that was judged.
  var isStoppedEarly: Bool {
    guard let patience = options.earlyStopping, state.sampleOffset == 0 else { return false }
    return state.epoch - (state.best?.epoch ?? 0) >= patience
  }

  /// Whether the epoch that has just ended, with this evaluation, is the best so far. If so, it is remembered.
  @discardableResult
  private func judge(_ result: Evaluation.Result) -> Bool {
    let loss = result.sums.meanLoss
    guard loss.isFinite && loss < state.best?.loss ?? .infinity else { return false }
    state.best = BestEpoch(loss: loss, epoch: state.epoch, step: state.step)
    return true
  }

  var isAtLimit: Bool { options.maxSteps.map { state.step >= $0 } ?? false }

  /// Trains to the epoch's end or to the step limit. Also returns the number of the epoch's skipped steps.
  private func trainEpoch(_ order: EpochOrder) throws -> (EpochProgress, skipped: Int) {
    var seconds = Duration.zero
    var samplesTimed = 0
    var progress = self.progress(seconds, samplesTimed)
    step.resetTimes()
    step.noise?.reset()
    repeat {
      let start = ContinuousClock.now
      let batch = batches.batch(state.sampleOffset / batches.globalBatch)
      spans?.recorder.isOn = options.trace?.contains(state.step + 1) == true
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
      // Of a step that was not taken nobody knows how many places had a sample.
      let samples = sampler != nil && outcome.isFinite ? outcome.losses.samples : batch.positions.count
      trainedSamples += samples
      samplesTimed += samples
      seconds += .now - start
      communicator.entered(.report, step: state.step)
      progress = self.progress(seconds, samplesTimed)
      // By their places: this room is not optimised in the program (launch/lib/swiftc), and an array's iterator allocates there.
      for index in audience.observers.indices { try audience.observers[index].stepped(progress) }
      if case .steps(let count) = execution.verifyEvery, state.step % count == 0 {
        try drift.verify(step.parameters, step: state.step)
      }
      // After the last step the epoch's record comes first: once the checkpoint is there, the epoch is not gone through
      // again.
      if state.sampleOffset < batches.samples && !isAtLimit {
        try checkpoints.saveIfDue(state, epochEnded: false)
        try checkpoints.answer(&asked, state, between: .steps)
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

  func take(_ batch: Batch, of order: EpochOrder) throws -> StepOutcome {
    do {
      return try step.take(batch, of: order, step: state.step + 1, asking: pending)
    } catch {
      throw TrainingError(.rankFailed, "step \(state.step + 1): \(error)")
    }
  }

  /// The requests to this rank.
  var pending: RunRequests { options.pending(until: deadline) }
}
