import Lockstep
import Testing

/// Federated runs whose updates are added up behind masks. That the sum is the exact one of the rounded updates of who is left, and that the
/// server holds nothing else, is for the tests of SecureAggregation.
@Suite struct SecureUpdatesTests {
  private static func run(_ strategy: FederatedStrategy = .fedAvg) throws -> SmallFederation {
    var run = try SmallFederation()
    run.recipe.aggregation = .secure
    run.recipe.strategy = strategy
    run.recipe.partition = .dirichlet(alpha: 1)
    run.recipe.dropouts = 0.3
    return run
  }

  /// Keys are others each time, and the weights are not.
  @Test(arguments: [.fedAvg, .fedProx(mu: 0.1), .fedAdam()] as [FederatedStrategy])
  func aRunIsTheSameOnAnyRanks(_ strategy: FederatedStrategy) throws {
    let run = try Self.run(strategy)
    let digests = try run.digests()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    let rounds = try run.run(ranks: 2).rounds
    #expect(rounds.contains { $0.dropped > 0 } && rounds.allSatisfy { $0.clients + $0.dropped == 6 })
  }

  /// Up to rounding: a weighted value is off by less than a step of 2⁻¹⁸, up or down.
  @Test func theSumIsThatOfTheTree() throws {
    var run = try Self.run()
    run.recipe.rounds = 1
    let secure = try run.run(ranks: 3)
    run.recipe.aggregation = .tree
    let plain = try run.run()
    #expect(secure.digest != plain.digest && secure.rounds == plain.rounds)
    let distance = zip(secure.weights, plain.weights).reduce(0) { max($0, abs($1.0 - $1.1)) }
    // Clients' weights are their samples over those of the largest, so their sum is 1 or more.
    #expect(distance < 6 * 0x1p-18, "\(distance)")
    #expect(distance > 0x1p-24)
  }

  @Test func aRunGoesOnOnOtherRanks() throws {
    let scratch = try Scratch()
    var run = try Self.run()
    let whole = try run.run()
    run.options.directory = scratch.path
    #expect(try run.run(ranks: 3, stopInside: 1).error?.code == .stopped)
    let resumed = try run.run(ranks: 2)
    #expect(resumed.resumedAt == 1 && resumed.digest == whole.digest)
    run.recipe.aggregation = .tree
    let error = #expect(throws: TrainingError.self) { try run.run() }
    #expect(error?.code == .badData && error?.description.contains("aggregation") == true, "\(error as Any)")
  }

  /// Where too few are left to take the masks off, the weights stay, and the run goes on.
  @Test func aRoundMayBeLost() throws {
    var run = try Self.run()
    run.recipe.rounds = 8
    run.recipe.dropouts = 0.55
    let outcome = try run.run(ranks: 2)
    let lost = outcome.rounds.indices.filter { outcome.rounds[$0].clients <= 3 }
    #expect(!lost.isEmpty && lost.count < 8)
    #expect(outcome.warnings.count == lost.count)
    #expect(outcome.warnings.allSatisfy { $0.contains("is lost") })
    for round in lost where round > 0 {
      #expect(outcome.reports[round].testLoss == outcome.reports[round - 1].testLoss)
    }
    #expect(try run.run(ranks: 4).digest == outcome.digest)
  }

  /// Noise and clips are those of a run without masks, but for what rounding adds.
  @Test func itGoesWithPrivacy() throws {
    var run = try Self.run()
    run.recipe.updateClip = .adaptive(initial: 0.5, countNoise: 2)
    run.recipe.privacy = PrivateTraining(.noiseMultiplier(0.7))
    run.recipe.privacy?.isRepeatable = true
    run.recipe.dropouts = 0.2
    let digests = try run.digests()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    run.recipe.rounds = 1
    let secure = try run.run(ranks: 2)
    run.recipe.aggregation = .tree
    let plain = try run.run()
    #expect(secure.summary?.privacy == plain.summary?.privacy && secure.summary?.privacy != nil)
    let distance = zip(secure.weights, plain.weights).reduce(0) { max($0, abs($1.0 - $1.1)) }
    // The noise's deviation is some 10⁻⁴ larger for the rounding.
    #expect(distance > 0 && distance < 1e-3, "\(distance)")
  }

  @Test func scaffoldIsRefused() throws {
    let run = try Self.run(.scaffold)
    let error = #expect(throws: TrainingError.self) { try run.run() }
    #expect(error?.code == .usage && error?.description.contains("scaffold") == true, "\(error as Any)")
  }
}
