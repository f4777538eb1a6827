import Lockstep
import Testing

/// Runs that end when the loss on the validation data falls no more, and learning rates that grow with the batch.
@Suite struct EarlyStoppingTests {
  /// Labels that follow from nothing: the loss on what is set aside soon rises.
  private static func run(_ patience: Int? = 3) throws -> SmallRun {
    var run = try SmallRun()
    run.recipe.validation = 0.25
    run.recipe.learningRate = 0.01
    run.recipe.epochs = 60
    run.options.earlyStopping = patience
    run.options.checkpointEvery = .epochs(1)
    return run
  }

  @Test func aRunEndsAndKeepsItsBestCheckpoint() throws {
    let run = try Self.run()
    let told = try ToldRun(run, ranks: 1)
    let losses = told.reports.map(\.testLoss)
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(told.summary.isStoppedEarly == true && losses.count == best + 4, "\(losses)")
    #expect(losses.count < 60 && told.summary.steps == losses.count * 4)
    #expect(told.summary.bestEpoch == best + 1 && told.summary.bestStep == (best + 1) * 4)
    #expect(told.summary.bestValidationLoss == losses[best])
    #expect(told.summary.validationLoss == losses.last)
    // The best one beside the newest three.
    let newest = ((losses.count - 2)...losses.count).map { $0 * 4 }
    #expect(try run.checkpoints == [(best + 1) * 4] + newest)
    // The same command again has nothing to train.
    let again = try ToldRun(run, ranks: 3)
    #expect(again.description?.isComplete == true && again.reports.isEmpty)
    #expect(again.summary.weightsDigest == told.summary.weightsDigest && again.summary.isStoppedEarly == true)
    #expect(again.summary.bestStep == told.summary.bestStep)
  }

  @Test func theEndIsTheSameOnAnyRanksAndAfterAnyStop() throws {
    var run = try Self.run()
    run.options.directory = nil
    let whole = try ToldRun(run, ranks: 1).summary
    for ranks in 2...4 {
      let other = try ToldRun(run, ranks: ranks).summary
      #expect(other.weightsDigest == whole.weightsDigest && other.steps == whole.steps)
    }
    // Stopped at an epoch's end, inside one, and once after every epoch.
    for stops in [[8], [10], Array(1..<whole.steps / 4).map { $0 * 4 }] {
      run = try Self.run()
      for (index, stop) in stops.enumerated() {
        run.options.maxSteps = stop
        _ = try ToldRun(run, ranks: 1 + index % 3)
      }
      run.options.maxSteps = nil
      let resumed = try ToldRun(run, ranks: 2).summary
      #expect(resumed.weightsDigest == whole.weightsDigest && resumed.steps == whole.steps, "\(stops)")
      #expect(resumed.bestStep == whole.bestStep && resumed.bestValidationLoss == whole.bestValidationLoss)
      #expect(try run.checkpoints.contains(whole.bestStep ?? 0))
    }
  }

  /// A best epoch is saved even if no checkpoint is due.
  @Test func aBestEpochIsSavedAtOnce() throws {
    var run = try Self.run()
    run.options.checkpointEvery = .epochs(1000)
    run.options.keep = 1
    let told = try ToldRun(run, ranks: 2)
    #expect(try run.checkpoints == [told.summary.bestStep ?? 0, told.summary.steps])
  }

  @Test func withoutPatienceNothingIsLookedFor() throws {
    var run = try Self.run(nil)
    run.recipe.epochs = 5
    let told = try ToldRun(run, ranks: 1)
    #expect(told.summary.isStoppedEarly == nil && told.summary.bestEpoch == nil && told.reports.count == 5)
    #expect(try run.checkpoints == [12, 16, 20])
    run.startAnew()
    run.options.earlyStopping = 1000
    let patient = try ToldRun(run, ranks: 1)
    #expect(patient.summary.isStoppedEarly == false && patient.summary.bestEpoch != nil)
    #expect(patient.summary.weightsDigest == told.summary.weightsDigest)
  }

  /// The best checkpoint is kept, and the run goes on to its last epoch, as it does without.
  @Test func theBestCheckpointStaysWithoutAnEarlyEnd() throws {
    var run = try Self.run(nil)
    run.recipe.epochs = 15
    let plain = try ToldRun(run, ranks: 1)
    for ranks in [1, 3] {
      run.startAnew()
      run.options.savesBest = true
      let told = try ToldRun(run, ranks: ranks)
      let losses = told.reports.map(\.testLoss)
      let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
      #expect(losses.count == 15 && best < 12, "\(losses)")
      #expect(told.summary.isStoppedEarly == nil && told.summary.weightsDigest == plain.summary.weightsDigest)
      #expect(told.summary.bestEpoch == best + 1 && told.summary.bestValidationLoss == losses[best])
      #expect(try run.checkpoints == [(best + 1) * 4, 52, 56, 60])
      let directory = try #require(run.options.directory)
      let path = try RestoredNetwork.bestCheckpoint(of: directory, communicator: SoloCommunicator()) { _ in }
      #expect(try CheckpointFile(path).state.step == (best + 1) * 4)
    }
    run.recipe.validation = nil
    run.startAnew()
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(error?.code == .usage && error?.description.contains("savesBest needs validation") == true)
  }

  /// A state that cannot be is refused, whatever the checksums say.
  @Test(arguments: [(1, 4, true), (2, 8, true), (0, 0, false), (1, 5, false), (3, 12, false), (.max, 4, false)])
  func aForgedBestEpochIsRefused(epoch: Int, step: Int, isPossible: Bool) throws {
    var run = try Self.run()
    run.options.maxSteps = 8
    _ = try ToldRun(run, ranks: 1)
    let directory = try #require(run.options.directory)
    let file = try CheckpointFile(CheckpointStore(directory: "\(directory)/checkpoints").path(step: 8))
    let tensors = file.file.header.tensors.map {
      NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.shape.count))
    }
    try file.read(into: tensors)
    var state = file.state
    #expect(state.best != nil)
    state.best = BestEpoch(loss: 2, epoch: epoch, step: step)
    let path = "\(directory)-forged.safetensors"
    try Checkpoint(tensors: tensors, state: state, recipe: file.recipe, weightsDigest: file.weightsDigest).write(
      to: path)
    run.options.directory = nil
    run.options.resume = .file(path)
    if isPossible {
      #expect(try ToldRun(run, ranks: 1).summary.bestEpoch != nil)
    } else {
      let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
      #expect(
        error?.code == .badData && error?.description.contains("best_step") == true, "\(error?.description ?? "")")
    }
  }

  @Test func patienceNeedsValidationData() throws {
    var run = try Self.run()
    run.recipe.validation = nil
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(error?.code == .usage && error?.description.contains("earlyStopping needs validation") == true)
    run = try Self.run(0)
    let none = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(none?.code == .usage && none?.description.contains("earlyStopping 0 is less than 1") == true)
  }

  @Test func learningRatesGrowWithTheBatch() throws {
    var recipe = try SmallRun().recipe
    recipe.learningRate = 0.01
    for (scaling, batch, rate) in [
      (.sqrt, 32, 0.01), (.linear, 32, 0.01), (.sqrt, 128, 0.02), (.linear, 128, 0.04), (.sqrt, 8, 0.005),
      (.linear, 16, 0.005), (nil, 128, 0.01),
    ] as [(RateScaling?, Int, Float)] {
      (recipe.rateScaling, recipe.globalBatch) = (scaling, batch)
      #expect(abs(recipe.scaledLearningRate / rate - 1) < 1e-6)
      #expect(recipe.learningRate == 0.01)
    }
  }

  /// The scaled rate is that which is stepped with, under the schedule, and the recipe names the rule.
  @Test func aScaledRateIsUsed() throws {
    var run = try SmallRun()
    run.recipe.globalBatch = 20
    run.recipe.learningRate = 0.016
    run.recipe.rateScaling = .linear
    run.recipe.schedule = .cosine
    run.recipe.warmup = 3
    let scaled = try ToldRun(run, ranks: 2).summary.weightsDigest
    let directory = try #require(run.options.directory)
    let recipe = try CheckpointFile(CheckpointStore(directory: "\(directory)/checkpoints").path(step: 15)).recipe
    #expect(recipe["scale_learning_rate"] == "linear" && recipe["learning_rate"] == "0.016")
    let rate = run.recipe.scaledLearningRate
    #expect(abs(rate - 0.01) < 1e-8)
    run.options.directory = nil
    run.recipe.rateScaling = nil
    #expect(try ToldRun(run, ranks: 1).summary.weightsDigest != scaled)
    run.recipe.learningRate = rate
    #expect(try ToldRun(run, ranks: 1).summary.weightsDigest == scaled)
    run.recipe.learningRate = .greatestFiniteMagnitude
    run.recipe.rateScaling = .linear
    run.recipe.globalBatch = 64
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(error?.code == .usage && error?.description.contains("rateScaling") == true)
  }
}
