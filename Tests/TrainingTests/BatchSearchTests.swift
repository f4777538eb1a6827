import Lockstep
import Testing

/// Global batches and microbatches that are measured: what follows from the times, and searches on ranks that are threads.
@Suite struct BatchSearchTests {
  private static let batches = [8, 16, 32, 64, 128, 256, 512, 1024]

  /// A step costs as much as ten microbatches of four samples, and a sample the same in all microbatches.
  private static func costs(ranks: Int, stepSeconds: Double = 40) -> BatchCosts {
    BatchCosts(
      ranks: ranks, microbatchSeconds: [4: 4, 8: 8, 16: 16, 32: 32], stepSeconds: stepSeconds, batches: batches)
  }

  private func expect(
    _ costs: BatchCosts, batch: Int, microbatch: Int, speed: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let choice = costs.choice
    #expect(choice?.globalBatch == batch, sourceLocation: sourceLocation)
    #expect(choice?.microbatch == microbatch && choice?.samplesPerSecond == speed, sourceLocation: sourceLocation)
  }

  @Test func theSmallestBatchThatIsNearlyAsFastIsChosen() throws {
    // The speed of a batch of B is B / (B + 40): 0.962 for 1024, 0.927 for 512, and 0.865 for 256.
    #expect(Self.costs(ranks: 1).choice?.globalBatch == 512)
    // Two ranks halve the work of a step, but not its own cost: 1024 is 0.928 of 2, and 512 0.865.
    #expect(Self.costs(ranks: 2).choice?.globalBatch == 1024)
    // Without that cost, any batch is as fast.
    expect(Self.costs(ranks: 2, stepSeconds: 0), batch: 8, microbatch: 4, speed: 2)
    #expect(Self.costs(ranks: 4, stepSeconds: 0).choice?.globalBatch == 16)
  }

  @Test func theFastestMicrobatchIsChosenThatAllRanksHave() throws {
    var costs = Self.costs(ranks: 2, stepSeconds: 0)
    costs.microbatchSeconds[16] = 8
    // 32 samples are the fewest of which two ranks have sixteen each.
    expect(costs, batch: 32, microbatch: 16, speed: 4)
    // One that is hardly slower and smaller leaves room for more ranks.
    costs.microbatchSeconds[8] = 4.04
    expect(costs, batch: 16, microbatch: 8, speed: 16 / 4.04)
    // Three ranks share out four microbatches worse than thirty-two.
    costs = BatchCosts(ranks: 3, microbatchSeconds: [4: 4, 32: 31], stepSeconds: 0, batches: [128])
    #expect(costs.choice?.microbatch == 4)
    // Unless each batch has its usual one.
    costs = Self.costs(ranks: 2, stepSeconds: 0)
    costs.microbatchSeconds[16] = 8
    costs.takesUsualMicrobatches = true
    #expect(costs.choice?.globalBatch == 128 && costs.choice?.microbatch == 16)
    #expect(BatchCosts(ranks: 9, microbatchSeconds: [4: 1], stepSeconds: 0, batches: [8, 16, 32]).choice == nil)
  }

  private static func search(_ run: SmallRun, ranks: Int) throws -> BatchSearch.Result {
    let results = try InProcessCommunicator.run(size: ranks) { communicator in
      try BatchSearch.run(
        for: run.recipe, training: run.training, test: run.test, execution: run.execution, options: run.options,
        on: communicator)
    }
    #expect(Set(results.map(\.globalBatch)).count == 1 && Set(results.map(\.microbatch)).count == 1)
    return results[0]
  }

  @Test(arguments: 1...4)
  func aSearchFindsABatchThatTrains(_ ranks: Int) throws {
    var run = try SmallRun()
    run.options.directory = nil
    for (microbatch, validation) in [(nil, nil), (2, 0.25), (nil, 0.1)] as [(Int?, Float?)] {
      run.recipe.microbatch = microbatch
      run.recipe.validation = validation
      let found = try Self.search(run, ranks: ranks)
      #expect(found.globalBatch.nonzeroBitCount == 1 && found.microbatch == microbatch ?? found.microbatch)
      #expect(found.globalBatch <= 8 && found.globalBatch / found.microbatch >= ranks, "\(found)")
      #expect(try #require(found.samplesPerSecond) > 0)
      (run.recipe.globalBatch, run.recipe.microbatch) = (found.globalBatch, found.microbatch)
      #expect(try ToldRun(run, ranks: ranks).summary.globalBatch == found.globalBatch)
    }
  }

  @Test func aRunThatGoesOnTakesItsCheckpointsBatch() throws {
    var run = try SmallRun()
    run.options.maxSteps = 7
    _ = try ToldRun(run, ranks: 2)
    let directory = try #require(run.options.directory)
    run.recipe.globalBatch = 32
    run.recipe.microbatch = nil
    for ranks in [1, 3] {
      let found = try Self.search(run, ranks: ranks)
      #expect(found.globalBatch == 20 && found.microbatch == 4 && found.samplesPerSecond == nil)
    }
    run.options.directory = nil
    run.options.resume = .file(CheckpointStore(directory: "\(directory)/checkpoints").path(step: 7))
    #expect(try Self.search(run, ranks: 2).globalBatch == 20)
    // One that starts anew measures.
    run.options.resume = .never
    #expect(try Self.search(run, ranks: 2).samplesPerSecond != nil)
    run.options.resume = .file("/nowhere")
    let error = #expect(throws: TrainingError.self) { try Self.search(run, ranks: 2) }
    #expect(error?.code == .missingInput)
  }

  @Test func impossibleRunsAreRefusedBeforeAnythingIsMeasured() throws {
    var run = try SmallRun()
    run.recipe.microbatch = .max
    let large = #expect(throws: TrainingError.self) { try Self.search(run, ranks: 2) }
    #expect(large?.code == .usage && large?.description.contains("microbatch") == true)
    run.recipe.microbatch = nil
    run.recipe.epochs = 0
    let none = #expect(throws: TrainingError.self) { try Self.search(run, ranks: 2) }
    #expect(none?.code == .usage && none?.description.contains("epochs") == true)
  }

  /// Batch normalisation makes the microbatch a part of the recipe's quality.
  @Test(arguments: [[], [Reshape([8, 8]), MultiHeadAttention(heads: 2, causal: true)]] as [[any LayerSpecification]])
  func batchNormalisationKeepsTheUsualMicrobatch(_ first: [any LayerSpecification]) throws {
    var run = try SmallRun()
    run.recipe.model = Model(
      name: "normalised", input: [8, 8, 1], layers: first + [Flatten(), Dense(16), BatchNorm(), Dense(10)])
    run.recipe.microbatch = nil
    run.training = try Subset(of: run.training, indices: Array(repeating: 0..<84, count: 12).flatMap { $0 })
    let most = run.recipe.model.usualMicrobatch
    #expect(most == (first.isEmpty ? 32 : 2))
    let found = try Self.search(run, ranks: 2)
    #expect(
      found.microbatch == BatchPlan.defaultMicrobatch(globalBatch: found.globalBatch, atMost: most), "\(found)")
  }
}
