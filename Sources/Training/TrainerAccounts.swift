import Collectives
import Kernels
import Steps

/// The accounts of a run: its progress, its evaluations, and the use of its time.
extension Trainer {
  func progress(_ time: Duration, _ samplesTimed: Int) -> EpochProgress {
    let sums = state.sums
    // Without samples the means are NaN.
    let samples = Double(sums.samples)
    return EpochProgress(
      epoch: state.epoch + 1, epochs: recipe.epochs, step: state.step, samplesDone: samplesDone,
      samplesInEpoch: self.samples, samplesCounted: sums.samples, samplesTimed: samplesTimed,
      seconds: time.seconds, loss: sums.loss / samples,
      accuracy: recipe.loss.countsCorrect ? Double(sums.correct) / samples : nil)
  }

  /// The samples of an epoch: those expected, if they are drawn.
  var samples: Int { privacy?.plan.samples ?? batches.samples }

  /// The samples of the epoch so far.
  private var samplesDone: Int {
    sampler == nil
      ? state.sampleOffset : Int(Double(samples) * Double(state.sampleOffset) / Double(batches.samples))
  }

  /// Evaluates the weights, or their averages if the run keeps some. Collective.
  func evaluate(_ evaluation: Evaluation) throws -> (result: Evaluation.Result, seconds: Double) {
    let start = ContinuousClock.now
    let result = try audience.during(.evaluating(samples: evaluation.data.count)) { try run(evaluation) }
    return (result, (.now - start).seconds)
  }

  /// The counters of the run's final metrics on the test data; empty without any. Collective.
  func countFinalMetrics() throws -> [[Int]] {
    guard !options.finalMetrics.isEmpty else { return [] }
    let test = Evaluation(
      network: network, data: (finalEvaluation ?? evaluation).data, communicator: communicator,
      metrics: options.finalMetrics)
    return try evaluate(test).result.counters
  }

  private func run(_ evaluation: Evaluation) throws -> Evaluation.Result {
    // Whoever stops a job may not wait for the end of an evaluation.
    var isSaved = false
    let parameters = try communicating { try averages?.gather() } ?? step.parameters
    func run() throws -> Evaluation.Result {
      try evaluation.run(parameters) {
        if !isSaved { isSaved = try checkpoints.saveAtOnce(state, asked: asked.union(pending)) }
      }
    }
    return try spans.map { try $0.recorder.record($0.evaluation, run) } ?? run()
  }

  /// Adds all ranks' times of the epoch to the run's, and returns their split, and the figures of the gradient's noise,
  /// if there are any. Takes in what ranks have been asked for since the last step. Collective.
  func meet() throws -> (time: TimeSplit, noise: GradientNoise.Figures?) {
    let times = step.times
    let mine = [times.compute.seconds.bitPattern, times.reduction.seconds.bitPattern, UInt64(pending.rawValue)]
    let words = try communicator.gather(words: mine + (step.noise?.words ?? []))
    for rank in words { asked.formUnion(RunRequests(rawValue: UInt32(rank[2]))) }
    let all = words.map { (compute: Double(bitPattern: $0[0]), reduction: Double(bitPattern: $0[1])) }
    for rank in all.indices {
      ranksTimes[rank].compute += all[rank].compute
      ranksTimes[rank].reduction += all[rank].reduction
    }
    return (TimeSplit(all), step.noise?.figures(words.map { $0[mine.count...] }))
  }

  /// The summary of the run; `validated` is nil without validation data, `averaged` without averages. Collective.
  func summarise(
    tested: Evaluation.Result, validated: Evaluation.Result?, averaged: Buffer<Float>?
  ) throws -> TrainingSummary {
    // NaN of a host that tells no energy, and so of the job.
    let joules = energy.map { $0.joules ?? .nan } ?? 0
    let peaks = try communicator.gather(
      words: [UInt64(ProcessFacts.peakResidentBytes), UInt64(momentBytes), joules.bitPattern])
    let allJoules = peaks.reduce(0) { $0 + Double(bitPattern: $1[2]) }
    return TrainingSummary(
      model: recipe.model.name, parameters: network.layout.learntCount, ranks: communicator.size,
      globalBatch: recipe.globalBatch, microbatch: batches.microbatch, epochs: recipe.epochs,
      steps: state.step, seed: recipe.seed, reduction: recipe.reduction.rawValue,
      testAccuracy: tested.accuracy, testLoss: tested.sums.meanLoss, testMetrics: tested.report,
      testErrors: tested.errors,
      testScores: tested.scores,
      trainSamplesPerSecond: trainingTime > .zero ? Double(trainedSamples) / trainingTime.seconds : 0,
      secondsTotal: ProcessFacts.secondsSinceStart, secondsToFirstStep: secondsToFirstStep,
      communicationFraction: TimeSplit(ranksTimes).communicationFraction,
      peakResidentBytes: Int(peaks.map { $0[0] }.max() ?? 0), momentBytes: Int(peaks.map { $0[1] }.max() ?? 0),
      joules: allJoules.isNaN ? nil : allJoules,
      weightsDigest: network.layout.digest(of: step.parameters).hex,
      averagedWeightsDigest: averaged.map { network.layout.digest(of: $0).hex },
      validationLoss: validated?.sums.meanLoss, validationAccuracy: validated?.accuracy,
      isStoppedEarly: options.earlyStopping.map { _ in isStoppedEarly && state.epoch < recipe.epochs },
      bestEpoch: state.best?.epoch, bestStep: state.best?.step, bestValidationLoss: state.best?.loss,
      privacy: try privacy?.spent(state.step))
  }
}
