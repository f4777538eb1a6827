import Checkpoints
import Collectives
import Kernels
import NeuralNetworks
import Steps
import Tensors
import Training

/// The loop of a federated run, from its first round to its end.
extension FederatedTrainer {
  /// Trains to the end and returns the summary, the same on every rank. Only rank 0 tells the observers.
  ///
  /// Collective. If its control or the clock stops the run, it saves a checkpoint and throws ``TrainingError/Code/stopped`` on every rank; a
  /// round that is not over then is taken again when the run goes on.
  ///
  /// Any other ``TrainingError`` may be that of one rank, while the others wait for it: whoever started the ranks must end them
  /// (`MPICommunicator.abort`).
  @discardableResult
  public func run() throws -> TrainingSummary {
    do { return try trainToEnd() } catch { throw TrainingError(error) }
  }

  private func trainToEnd() throws -> TrainingSummary {
    // This thread may be another than that of the start.
    useDefaultFloatingPoint()
    let description = RunDescription(
      recipe: plan.base, execution: execution, options: options, parameters: plan.network.layout.learntCount,
      ranks: communicator.size, hostNames: hostNames, microbatch: plan.base.microbatch ?? plan.base.globalBatch,
      samples: plan.samples, stepsPerEpoch: 1, resumedAtStep: state.step, epochsDone: state.epoch, isComplete: isOver,
      initialWeights: nil, federation: plan.description)
    try audience.tell { try $0.began(description) }
    var evaluated: Evaluation.Result?
    while !isOver {
      guard let round = try takeRound() else { try checkpoints.stop(state, asked: asked, between: .rounds) }
      state.epoch += 1
      state.step += 1
      note(round)
      if case .steps(let count) = execution.verifyEvery, state.step % count == 0 || isOver {
        try drift.verify(weights, step: state.step)
      }
      evaluated = try endRound(round)
      if !isOver { try checkpoints.answer(&asked, state, between: .rounds) }
    }
    try checkpoints.save(state)
    let result = if let evaluated { evaluated } else { try evaluate().result }
    let spread = try evaluateClients()
    let summary = try summarise(result, spread)
    try checkpoints.requireLock()
    try audience.tell { try $0.ended(summary) }
    let finished = FinishedRun(
      summary: summary, network: plan.network, parameters: weights, test: evaluation.data, mistakes: result.mistakes)
    try audience.tell { try $0.finished(finished) }
    // The user has the results now, but must not take them for saved.
    if let failure = checkpoints.failure { throw failure }
    return summary
  }

  /// Whether no round is left to take.
  private var isOver: Bool { state.epoch >= plan.recipe.rounds || options.maxSteps.map { state.step >= $0 } ?? false }

  private func note(_ round: Round) {
    if trainedSamples == 0 { secondsToFirstStep = ProcessFacts.secondsSinceStart }
    trainingTime += round.compute + round.reduction
    trainedSamples += round.losses.samples
    updates += round.choice.participants.count
    dropped += round.choice.dropped.count
  }

  /// Evaluates, tells the observers and saves. Returns the evaluation on the test data. Collective.
  private func endRound(_ round: Round) throws -> Evaluation.Result {
    let (result, seconds) = try evaluate()
    let spread = evaluatesClients ? try evaluateClients() : nil
    let time = try meet(round)
    let losses = round.losses
    let planned = round.choice.participants.reduce(0) { $0 + samples($1) }
    let progress = EpochProgress(
      epoch: state.epoch, epochs: plan.recipe.rounds, step: state.step, samplesDone: planned, samplesInEpoch: planned,
      samplesCounted: losses.samples, samplesTimed: losses.samples, seconds: (round.compute + round.reduction).seconds,
      loss: losses.meanLoss, accuracy: plan.recipe.loss.countsCorrect ? losses.accuracy : nil)
    let report = EpochReport(
      training: progress, evaluated: .test, testLoss: result.sums.meanLoss, testAccuracy: result.accuracy,
      testScores: result.scores, evaluationSeconds: seconds, time: time, skippedSteps: 0, gradientNorm: nil,
      gradientNoiseScale: nil, layout: plan.network.layout, parameters: weights, privacy: try plan.spent(state.epoch),
      round: RoundFigures(
        clients: round.choice.participants.count, dropped: round.choice.dropped.count,
        stragglers: round.choice.stragglers, clipNorm: round.clipNorm, accuracy: spread))
    try checkpoints.requireLock()
    try audience.tell { try $0.endedEpoch(report) }
    try checkpoints.saveIfDue(state, epochEnded: true)
    return result
  }

  /// Evaluates the weights on the test data. Collective.
  private func evaluate() throws -> (result: Evaluation.Result, seconds: Double) {
    let start = ContinuousClock.now
    let result = try audience.during(.evaluating(samples: evaluation.data.count)) {
      try evaluation.run(weights, beforeSlice: saveIfAsked)
    }
    return (result, (.now - start).seconds)
  }

  /// The spread of the accuracy over the clients' own data; nil where the loss has none. Collective.
  private func evaluateClients() throws -> ClientSpread? {
    try audience.during(.evaluating(samples: plan.samples)) {
      try clientEvaluation.run(weights, willEvaluate: saveIfAsked).flatMap { ClientSpread($0) }
    }
  }

  /// Saves at once if the run is asked to end: whoever stops a job may not wait for the end of an evaluation.
  private func saveIfAsked() throws {
    if !pending.isDisjoint(with: .ending) { _ = try checkpoints.saveAtOnce(state, asked: pending) }
  }

  /// Adds all ranks' times of the round to the run's and returns their split. Takes in what ranks have been asked for since. Collective.
  private func meet(_ round: Round) throws -> TimeSplit {
    let words = try communicating {
      try communicator.gather(words: [
        round.compute.seconds.bitPattern, round.reduction.seconds.bitPattern, UInt64(pending.rawValue),
      ])
    }
    for rank in words { asked.formUnion(RunRequests(rawValue: UInt32(rank[2]))) }
    let all = words.map { (compute: Double(bitPattern: $0[0]), reduction: Double(bitPattern: $0[1])) }
    for rank in all.indices {
      ranksTimes[rank].compute += all[rank].compute
      ranksTimes[rank].reduction += all[rank].reduction
    }
    return TimeSplit(all)
  }

  private func summarise(_ tested: Evaluation.Result, _ spread: ClientSpread?) throws -> TrainingSummary {
    let moments = (server.moments + (variates?.moments ?? [])).reduce(0) { $0 + 4 * $1.values.count }
    let peaks = try communicating {
      try communicator.gather(words: [UInt64(ProcessFacts.peakResidentBytes), UInt64(moments)])
    }
    return TrainingSummary(
      model: plan.recipe.model.name, parameters: plan.network.layout.learntCount, ranks: communicator.size,
      globalBatch: plan.base.globalBatch, microbatch: plan.base.microbatch ?? plan.base.globalBatch,
      epochs: plan.recipe.rounds, steps: state.step, seed: plan.recipe.seed, reduction: plan.base.reduction.rawValue,
      testAccuracy: tested.accuracy, testLoss: tested.sums.meanLoss, testMetrics: tested.report,
      testErrors: tested.errors, testScores: tested.scores,
      trainSamplesPerSecond: trainingTime > .zero ? Double(trainedSamples) / trainingTime.seconds : 0,
      secondsTotal: ProcessFacts.secondsSinceStart, secondsToFirstStep: secondsToFirstStep,
      communicationFraction: TimeSplit(ranksTimes).communicationFraction,
      peakResidentBytes: Int(peaks.map { $0[0] }.max() ?? 0), momentBytes: Int(peaks.map { $0[1] }.max() ?? 0),
      weightsDigest: plan.network.layout.digest(of: weights).hex, privacy: try plan.spent(state.epoch),
      federation: FederationSummary(
        clients: plan.recipe.clients, updates: updates, dropped: dropped, accuracy: spread))
  }
}
