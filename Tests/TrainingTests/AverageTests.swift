import Kernels
import Lockstep
import Synchronization
import Testing

/// Runs that keep averages of their weights.
@Suite struct AverageTests {
  private static func run(_ decay: Float? = 0.75) throws -> SmallRun {
    var run = try SmallRun()
    run.recipe.ema = decay
    return run
  }

  /// Begins with the first weights, and moves towards the weights after every step. The steps are as without.
  @Test func averagesAreThoseOfTheFormula() throws {
    var run = try Self.run()
    run.options.directory = nil
    let plain = try ToldRun(try Self.run(nil), ranks: 1)
    let weights = Mutex<[[Float]]>([])
    let told = try ToldRun(run, ranks: 1) { trainer, _ in weights.withLock { $0.append(trainer.parameters.array) } }
    #expect(told.summary.weightsDigest == plain.summary.weightsDigest && plain.summary.averagedWeightsDigest == nil)
    let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 64)
    let averages = Buffer<Float>(count: network.layout.count)
    network.initialise(averages, seed: 0)
    for step in weights.withLock({ $0 }) { average(Buffer(step), into: averages, keeping: 0.75) }
    #expect(weights.withLock { $0.count } == 15)
    #expect(told.summary.averagedWeightsDigest == network.layout.digest(of: averages).hex)
    let tested = try Evaluation(network: network, data: run.test, communicator: SoloCommunicator()).run(averages)
    #expect(told.summary.testLoss == tested.sums.meanLoss && told.summary.testLoss != plain.summary.testLoss)
  }

  /// However the ranks divide what is stepped.
  @Test(arguments: [Adam(), SGD(momentum: 0.9), LAMB()] as [any OptimizerSpecification])
  func averagesAreTheSameOnAnyRanks(_ optimizer: any OptimizerSpecification) throws {
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.optimizer = optimizer
    let one = try ToldRun(run, ranks: 1).summary
    for colours in [[0, 0], [0, 0, 0], [0, 1], [0, 0, 1, 1], [0, 1, 0, 1]] {
      for (sharesMemory, shards) in [(false, false), (false, true), (true, false), (true, true)] {
        (run.execution.sharesMemory, run.execution.shardsOptimizer) = (sharesMemory, shards)
        let other = try ToldRun(run, ranks: colours.count, hosts: HostMap(colours: colours)).summary
        #expect(other.weightsDigest == one.weightsDigest)
        #expect(other.averagedWeightsDigest == one.averagedWeightsDigest, "\(colours) \(sharesMemory) \(shards)")
        #expect(other.testLoss == one.testLoss)
      }
    }
  }

  @Test func aRunGoesOnWithItsAverages() throws {
    var run = try Self.run()
    let whole = try ToldRun(run, ranks: 1).summary
    for (before, after, shards) in [(1, 3, false), (4, 2, true), (3, 1, false)] {
      run.startAnew()
      run.execution.shardsOptimizer = shards
      run.execution.sharesMemory = !shards
      run.options.maxSteps = 7
      _ = try ToldRun(run, ranks: before)
      run.options.maxSteps = nil
      let resumed = try ToldRun(run, ranks: after).summary
      #expect(resumed.weightsDigest == whole.weightsDigest)
      #expect(resumed.averagedWeightsDigest == whole.averagedWeightsDigest, "\(before) and \(after) ranks")
      #expect(resumed.testLoss == whole.testLoss)
    }
    run.recipe.ema = 0.5
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(error?.code == .badData && error?.description.contains("ema is 0.75 there and 0.5 here") == true)
  }

  /// A checkpoint is evaluated, and begun from, by its averages.
  @Test func aCheckpointStandsForItsAverages() throws {
    var run = try Self.run()
    let told = try ToldRun(run, ranks: 2).summary
    let directory = try #require(run.options.directory)
    let path = CheckpointStore(directory: "\(directory)/checkpoints").path(step: 15)
    let names = try CheckpointFile(path).file.header.tensors.map(\.name)
    #expect(names.contains("optimizer.ema.dense1.weights") && names.contains("dense1.weights"))
    for ranks in [1, 3] {
      let losses = try InProcessCommunicator.run(size: ranks) { [test = run.test] communicator in
        let restored = try RestoredNetwork(path, for: test, program: "test", communicator: communicator) { _ in }
        precondition(restored.isAveraged)
        return try Evaluation(network: restored.network, data: test, communicator: communicator)
          .run(restored.parameters).sums.meanLoss
      }
      #expect(losses.allSatisfy { $0 == told.testLoss })
    }
    // A run that begins with them and takes no step worth the name ends with them.
    run.recipe.ema = nil
    run.recipe.initialWeights = path
    run.recipe.learningRate = 1e-30
    run.recipe.seed = 5
    run.options.directory = nil
    #expect(try ToldRun(run, ranks: 2).summary.weightsDigest == told.averagedWeightsDigest)
  }

  @Test(arguments: [0, 1, -0.5, 1.5, .nan, .infinity] as [Float])
  func decaysThatCannotBeAreRefused(_ decay: Float) throws {
    let run = try Self.run(decay)
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(error?.code == .usage && error?.description.contains("ema \(decay) is not between 0 and 1") == true)
  }
}
