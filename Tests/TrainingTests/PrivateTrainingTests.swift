import Lockstep
import Statistics
import Testing

/// Training with differential privacy.
@Suite struct PrivateTrainingTests {
  private static func run(_ multiplier: Double = 0.9, isRepeatable: Bool = true) throws -> SmallRun {
    var run = try SmallRun()
    run.recipe.sampleClipNorm = 0.5
    run.recipe.privacy = PrivateTraining(.noiseMultiplier(multiplier))
    run.recipe.privacy?.isRepeatable = isRepeatable
    return run
  }

  @Test func aRunIsTheSameOnAnyRanks() throws {
    var run = try Self.run()
    run.options.directory = nil
    let digests = try run.digestsInEveryWay()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    var all = digests
    run.recipe.seed = 1
    all.insert(try run.run(ranks: 1)[0].digest)
    run.recipe.privacy?.amount = .noiseMultiplier(1)
    all.insert(try run.run(ranks: 1)[0].digest)
    run.recipe.privacy = nil
    all.insert(try run.run(ranks: 1)[0].digest)
    #expect(all.count == 4)
  }

  @Test func aRunGoesOnOnOtherRanks() throws {
    var run = try Self.run()
    try run.expectToGoOn(onRanks: [(1, 3), (4, 2)])
    run.recipe.privacy?.amount = .noiseMultiplier(0.8)
    let error = #expect(throws: TrainingError.self) { _ = try run.run(ranks: 1) }
    #expect(error?.description.contains("private_noise is 0.9 there and 0.8 here") == true, "\(error as Any)")
  }

  /// Ranks agree on a key, and the next run has another.
  @Test func secretNoiseIsNeverTheSame() throws {
    var run = try Self.run(isRepeatable: false)
    run.options.directory = nil
    let digests = try (0..<3).map { _ in Set(try run.run(ranks: 3).map(\.digest)) }
    #expect(digests.allSatisfy { $0.count == 1 && !$0.contains(nil) }, "ranks end with other weights")
    #expect(Set(digests).count == 3)
  }

  /// With a learning rate of 1, and so much noise that the gradients are nothing beside it, a step moves the weights by the noise alone: of
  /// deviation clipping norm × multiplier / expected batch.
  @Test(arguments: [true, false]) func theNoiseIsWhatTheAccountSays(isRepeatable: Bool) throws {
    var run = try Self.run(2000, isRepeatable: isRepeatable)
    run.options.directory = nil
    run.options.maxSteps = 1
    run.recipe.optimizer = SGD(learningRate: 1)
    let deviation = 0.5 * 2000 / 20.0
    var moved: [Double] = []
    for seed in 0..<4 as Range<UInt64> {
      run.recipe.seed = seed
      let before = Moves()
      _ = try run.run(
        ranks: 2, onStep: { trainer, _ in before.take(trainer.parameters.array) },
        prepare: { trainer, rank in if rank == 0 { before.take(trainer.parameters.array) } })
      let layout = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).layout
      let difference = before.difference
      // The gaps between parameters stay zero.
      #expect(
        difference.count == layout.count && difference.filter { $0 == 0 }.count >= layout.count - layout.learntCount)
      for range in layout.ranges { moved += range.map { difference[$0] / deviation } }
    }
    expectNormal(moved)
  }

  /// The batches have the sizes that chance gives, and the account is that of the steps.
  @Test func batchesAreDrawnAndAccounted() throws {
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.epochs = 40
    let told = try ToldRun(run, ranks: 2)
    let sizes = told.reports.map(\.training.samplesCounted)
    #expect(sizes.count == 40 && Set(sizes).count > 5, "\(sizes)")
    // 160 batches of 20 ± 3.9.
    #expect(abs(sizes.reduce(0, +) - 3200) < 250, "\(sizes)")
    #expect(told.description?.samples == 84 && told.description?.stepsPerEpoch == 4)
    for (epoch, report) in told.reports.enumerated() {
      let ledger = PrivacyLedger(
        try SubsampledGaussian(sampleRate: 20.0 / 84, noiseMultiplier: 0.9), steps: 4 * (epoch + 1))
      let expected = try RDPAccountant(ledger).epsilon(delta: 1e-5, conversion: .improved).epsilon
      #expect(report.privacy?.epsilon == expected && report.privacy?.steps == 4 * (epoch + 1))
      #expect(report.gradientNorm == nil, "it would be without noise")
    }
    #expect(told.summary.privacy == told.reports.last?.privacy)
  }

  @Test func theNoiseFollowsFromEpsilon() throws {
    var run = try Self.run()
    run.options.directory = nil
    for conversion in RDPAccountant.Conversion.allCases {
      run.recipe.privacy?.amount = .epsilon(3)
      run.recipe.privacy?.conversion = conversion
      let spent = try #require(try ToldRun(run, ranks: 1).summary.privacy)
      #expect(spent.epsilon <= 3 && spent.epsilon > 2.99, "\(spent)")
    }
    run.recipe.privacy?.amount = .epsilon(1e-9)
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(error?.code == .usage && error?.description.contains("cannot be reached") == true, "\(error as Any)")
  }

  /// The steps of the run that the weights are from count as well.
  @Test func weightsBringTheirAccount() throws {
    let first = try Self.run()
    _ = try first.run(ranks: 1)
    let steps = try #require(try first.checkpoints.last)
    var second = try Self.run()
    second.recipe.initialWeights =
      "\(try #require(first.options.directory))/checkpoints/step-\(Self.padded(steps)).safetensors"
    let spent = try #require(try ToldRun(second, ranks: 2).summary.privacy)
    #expect(spent.steps == 2 * steps)
    let single = try #require(try ToldRun(Self.run(), ranks: 1).summary.privacy)
    #expect(spent.epsilon > single.epsilon)
    // And when the second goes on, they still do.
    second.recipe.epochs = 4
    let further = try #require(try ToldRun(second, ranks: 1).summary.privacy)
    #expect(further.steps == 2 * steps + 4)
    first.startAnew()
  }

  private static func padded(_ step: Int) -> String { String("\(100_000_000 + step)".dropFirst()) }

  @Test func whatWouldSpendBesideTheAccountIsRefused() throws {
    let changes: [(String, (inout SmallRun) throws -> Void)] = [
      ("sampleClipNorm", { $0.recipe.sampleClipNorm = nil }),
      ("mixup", { $0.recipe.augmentation = try Augmentation("mixup") }),
      ("clipNorm", { $0.recipe.clipNorm = 1 }), ("globalBatch", { $0.recipe.globalBatch = 85 }),
      ("delta", { $0.recipe.privacy?.delta = 0.02 }), ("delta", { $0.recipe.privacy?.delta = 0 }),
      ("noiseMultiplier", { $0.recipe.privacy?.amount = .noiseMultiplier(0) }),
      ("epsilon", { $0.recipe.privacy?.amount = .epsilon(.infinity) }),
      (
        "earlyStopping",
        {
          $0.recipe.validation = 0.2
          $0.options.earlyStopping = 2
        }
      ),
      (
        "savesBest",
        {
          $0.recipe.validation = 0.2
          $0.options.savesBest = true
        }
      ),
    ]
    for (words, change) in changes {
      var run = try Self.run()
      run.options.directory = nil
      try change(&run)
      let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
      #expect(error?.code == .usage && error?.description.contains(words) == true, "\(words): \(error as Any)")
    }
  }

  /// A sample whose gradient is not finite counts as zeros.
  @Test func aBrokenSampleMovesNothing() throws {
    let data = try InMemoryDataset(
      inputs: Buffer([1, 2, 3, .infinity, 5, 6] as [Float]), shape: [2], labels: Buffer([0, 1, 0] as [Int32]))
    let network = try Network(
      Model("linear", input: [2]) { Dense(2) }, loss: SoftmaxCrossEntropy(classes: 2), capacity: 4)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 3)
    let batches = try BatchPlan(samples: 3, globalBatch: 3, microbatch: 3)
    func gradient(_ samples: [UInt32]) -> [Float] {
      let source = SampleClippedGradient(network, data, batches: batches, clipNorm: 1)
      let found = Buffer<Float>(Array(repeating: 2, count: network.layout.count))
      let order = EpochOrder(seed: 0, epoch: 0, count: 3, sampler: Fixed(samples: samples))
      source.differentiate(
        StepShare(0..<1, of: batches.batch(0), order, step: 1), parameters: parameters, into: found, .replace)
      return found.array
    }
    #expect(gradient([0, 1, 2]) == gradient([0, 2, EpochOrder.none]))
    #expect(gradient([EpochOrder.none, EpochOrder.none, EpochOrder.none]).allSatisfy { $0 == 0 })
  }

  private struct Fixed: Sampler {
    let samples: [UInt32]
    func fill(_ order: inout [UInt32], epoch: Int) { order = samples }
  }

  /// The weights before and after a step. One thread at a time has it.
  private final class Moves: @unchecked Sendable {
    private var taken: [[Float]] = []
    func take(_ values: [Float]) { taken.append(values) }
    var difference: [Double] { zip(taken[0], taken[1]).map { Double($1) - Double($0) } }
  }
}
