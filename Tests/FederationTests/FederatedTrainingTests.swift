import FoundationEssentials
import Lockstep
import Testing

/// Federated runs on threads.
@Suite struct FederatedTrainingTests {
  private static let strategies: [FederatedStrategy] = [.fedAvg, .fedProx(mu: 0.1), .fedAdam(), .scaffold]

  @Test(arguments: strategies, [.iid, .shards(perClient: 2), .dirichlet(alpha: 0.3)] as [ClientPartition])
  func aRunIsTheSameOnAnyRanks(_ strategy: FederatedStrategy, _ partition: ClientPartition) throws {
    var run = try SmallFederation()
    (run.recipe.strategy, run.recipe.partition) = (strategy, partition)
    (run.recipe.stragglers, run.recipe.dropouts) = (0.4, 0.2)
    let digests = try run.digests()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    run.recipe.seed += 1
    #expect(try !digests.contains(run.run().digest))
  }

  @Test(arguments: strategies) func aRunGoesOnOnOtherRanks(_ strategy: FederatedStrategy) throws {
    let scratch = try Scratch()
    var run = try SmallFederation()
    run.recipe.strategy = strategy
    run.recipe.updateClip = .adaptive(initial: 0.5)
    run.recipe.rounds = 5
    let whole = try run.run()
    for (index, (before, after)) in [(1, 3), (4, 2), (2, 1)].enumerated() {
      run.options.directory = "\(scratch.path)/\(index)"
      // The round in which it is asked is not taken, for a round may be long.
      let stopped = try index == 1 ? run.run(ranks: before, stopInside: 2) : run.run(ranks: before, stopAfter: 2)
      #expect(stopped.error?.code == .stopped && stopped.reports.count == 2 && stopped.saved.last == 2)
      let resumed = try run.run(ranks: after)
      #expect(resumed.resumedAt == 2 && resumed.digest == whole.digest, "\(before) and \(after) ranks")
      #expect(resumed.rounds == Array(whole.rounds.dropFirst(2)))
    }
    // Another recipe is another run; a longer one is the same.
    run.recipe.rounds = 6
    #expect(try run.run(ranks: 2).resumedAt == 5)
    run.recipe.rounds = 4
    let backwards = #expect(throws: TrainingError.self) { try run.run() }
    #expect(backwards?.code == .usage && backwards?.description.contains("round 6") == true, "\(backwards as Any)")
    run.recipe.rounds = 6
    run.recipe.partition = .shards(perClient: 2)
    let other = #expect(throws: TrainingError.self) { try run.run() }
    #expect(other?.code == .badData && other?.description.contains("partition") == true, "\(other as Any)")
  }

  /// It learns, and reports what happened.
  @Test func itLearns() throws {
    var run = try SmallFederation()
    run.recipe.rounds = 30
    run.recipe.optimizer = SGD(learningRate: 0.4)
    run.evaluatesClients = true
    let outcome = try run.run(ranks: 2)
    let summary = try #require(outcome.summary)
    #expect(outcome.reports.first?.testLoss ?? 0 > 2 * summary.testLoss)
    #expect(summary.testAccuracy ?? 0 > 0.9, "\(summary.testAccuracy as Any)")
    #expect(summary.federation?.clients == 12 && summary.federation?.updates == 180)
    #expect(outcome.rounds.allSatisfy { $0.clients == 6 && $0.dropped == 0 && $0.stragglers == 0 })
    // 6 clients, 2 passes over 20 samples each.
    #expect(outcome.reports.allSatisfy { $0.training.samplesCounted == 240 })
    let spread = try #require(summary.federation?.accuracy)
    #expect(spread == outcome.rounds.last?.accuracy)
    #expect(spread.worstTenth <= spread.mean && spread.mean <= spread.bestTenth && spread.mean > 0.9)
  }

  @Test func clientsDropOut() throws {
    var run = try SmallFederation()
    run.recipe.rounds = 20
    run.recipe.dropouts = 0.4
    let outcome = try run.run(ranks: 3)
    let dropped = outcome.rounds.reduce(0) { $0 + $1.dropped }
    #expect(outcome.rounds.allSatisfy { $0.clients + $0.dropped == 6 })
    #expect(30...66 ~= dropped, "\(dropped) of 120")
    #expect(outcome.summary?.federation?.dropped == dropped)
    // Where all drop out, the weights stay.
    run.recipe.dropouts = 1
    run.recipe.rounds = 2
    let none = try run.run(ranks: 2)
    let first = Buffer<Float>(count: none.weights.count)
    try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).initialise(first, seed: run.recipe.seed)
    #expect(none.weights == first.array && none.rounds.allSatisfy { $0.clients == 0 && $0.dropped == 6 })
  }

  @Test func stragglersDoAPart() throws {
    var run = try SmallFederation()
    run.recipe.stragglers = 1
    run.recipe.rounds = 10
    let outcome = try run.run(ranks: 2)
    #expect(outcome.rounds.allSatisfy { $0.stragglers == 6 })
    let samples = outcome.reports.map(\.training.samplesCounted)
    #expect(samples.allSatisfy { $0 < 240 && $0 >= 48 } && Set(samples).count > 3, "\(samples)")
  }

  /// With one client that takes one step over all its samples, averaging is gradient descent.
  @Test func oneClientAndOneStepAreGradientDescent() throws {
    var run = try SmallFederation()
    (run.recipe.clients, run.recipe.clientFraction) = (1, 1)
    (run.recipe.localEpochs, run.recipe.localBatch, run.recipe.rounds) = (1, nil, 3)
    run.recipe.optimizer = SGD(learningRate: 0.3, weightDecay: 0.01)
    let federated = try run.run()
    var recipe = Recipe(model: run.recipe.model, loss: run.recipe.loss)
    recipe.optimizer = run.recipe.optimizer
    (recipe.epochs, recipe.globalBatch, recipe.seed) = (3, 240, run.recipe.seed)
    let trainer = try Trainer(recipe, training: run.training, test: run.test)
    try trainer.run()
    let distance = zip(federated.weights, trainer.parameters.array).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(distance < 1e-6, "\(distance)")
  }

  /// Running averages of a batch normalisation are averaged too; frozen parameters stay.
  @Test func otherRolesAreKept() throws {
    var run = try SmallFederation()
    run.recipe.model = Model("small", input: [8, 8, 1]) {
      Conv2D(filters: 4, kernel: 3)
      BatchNorm()
      ReLU()
      Flatten()
      Dense(10)
    }
    run.recipe.frozen = [Glob("convolution*")]
    for strategy in [.fedAvg, .fedAdam(), .scaffold] as [FederatedStrategy] {
      run.recipe.strategy = strategy
      #expect(try run.digests().count == 1)
      let outcome = try run.run()
      let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1)
      let first = Buffer<Float>(count: network.layout.count)
      network.initialise(first, seed: run.recipe.seed)
      for (parameter, range) in zip(network.layout.parameters, network.layout.ranges) {
        let isEqual = outcome.weights[range] == first.array[range]
        #expect(isEqual == parameter.name.hasPrefix("convolution"), "\(strategy): \(parameter.name)")
      }
    }
  }

  @Test func lossesThatAreNotFiniteEndTheRun() throws {
    var run = try SmallFederation()
    run.recipe.optimizer = SGD(learningRate: 1e30)
    for ranks in [1, 3] {
      let outcome = try run.run(ranks: ranks)
      #expect(outcome.error?.code == .rankFailed && outcome.error?.description.contains("client") == true)
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let changes: [(String, (inout SmallFederation) -> Void)] = [
      ("clients 0", { $0.recipe.clients = 0 }), ("rounds 0", { $0.recipe.rounds = 0 }),
      ("localEpochs 0", { $0.recipe.localEpochs = 0 }), ("localBatch 0", { $0.recipe.localBatch = 0 }),
      ("clients 241", { $0.recipe.clients = 241 }), ("clientFraction 0", { $0.recipe.clientFraction = 0 }),
      ("clientFraction nan", { $0.recipe.clientFraction = .nan }), ("stragglers 2", { $0.recipe.stragglers = 2 }),
      ("dropouts -1", { $0.recipe.dropouts = -1 }), ("learningRateDecay 2", { $0.recipe.rateDecay = 2 }),
      ("serverLearningRate 0", { $0.recipe.serverRate = 0 }), ("mu", { $0.recipe.strategy = .fedProx(mu: -1) }),
      ("tau", { $0.recipe.strategy = .fedAdam(tau: 0) }), ("beta2", { $0.recipe.strategy = .fedAdam(beta2: 1) }),
      (
        "momentum",
        {
          $0.recipe.strategy = .scaffold
          $0.recipe.optimizer.momentum = 0.9
        }
      ),
      ("updateClip 0", { $0.recipe.updateClip = .fixed(0) }),
      ("clipQuantile 1", { $0.recipe.updateClip = .adaptive(quantile: 1) }),
      ("updateClip", { $0.recipe.privacy = PrivateTraining(.noiseMultiplier(1)) }),
      ("earlyStopping", { $0.options.earlyStopping = 3 }), ("trace", { $0.options.trace = 1...2 }),
      (
        "countNoise",
        {
          $0.recipe.updateClip = .adaptive(countNoise: 0.4)
          $0.recipe.privacy = PrivateTraining(.noiseMultiplier(1))
        }
      ),
      (
        "delta",
        {
          $0.recipe.updateClip = .fixed(1)
          $0.recipe.privacy = PrivateTraining(.noiseMultiplier(1))
          $0.recipe.privacy?.delta = 0.1
        }
      ),
      (
        "scaffold",
        {
          $0.recipe.updateClip = .fixed(1)
          $0.recipe.strategy = .scaffold
          $0.recipe.privacy = PrivateTraining(.noiseMultiplier(1))
        }
      ),
    ]
    for (words, change) in changes {
      var run = try SmallFederation()
      change(&run)
      let error = #expect(throws: TrainingError.self) { try run.run(ranks: 2) }
      #expect(error?.code == .usage && error?.description.contains(words) == true, "\(words): \(error as Any)")
    }
    let many = try SmallFederation()
    let error = #expect(throws: TrainingError.self) { try many.run(ranks: 7) }
    #expect(error?.code == .usage && error?.description.contains("7 ranks") == true, "\(error as Any)")
  }

  @Test func spreads() throws {
    #expect(ClientSpread([]) == nil)
    let spread = try #require(ClientSpread([0.9, 0.1, 0.5, 0.4, 0.6, 0.5, 0.5, 0.5, 0.5, 0.3, 0.2]))
    #expect(abs(spread.worstTenth - 0.15) < 1e-12 && abs(spread.bestTenth - 0.75) < 1e-12)
    #expect(abs(spread.mean - 5.0 / 11) < 1e-12 && abs(spread.standardDeviation - 0.2017) < 1e-3, "\(spread)")
  }
}

/// A directory of its own, gone with the test.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/lockstep-federation-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
