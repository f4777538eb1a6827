import Lockstep
import Testing

/// Runs whose images change at random, and whose training data are parts of what is given.
@Suite struct AugmentedRunTests {
  /// With dropout, so that two kinds of noise meet.
  private static func run(_ text: String? = "shift:2,rotate:15,scale:0.1,shear:5,elastic:8:2,flip,crop:1,erase") throws
    -> SmallRun
  {
    var run = try SmallRun()
    run.recipe.model = Model("dropping", input: [8, 8, 1]) {
      Conv2D(filters: 4, kernel: 3)
      ReLU()
      Flatten()
      Dropout(0.3)
      Dense(10)
    }
    run.recipe.augmentation = try text.map { try Augmentation($0) }
    return run
  }

  @Test func aRunIsTheSameOnAnyRanks() throws {
    var run = try Self.run()
    run.options.directory = nil
    let digests = try (1...4).map { try ToldRun(run, ranks: $0).summary.weightsDigest }
    #expect(Set(digests).count == 1, "\(digests)")
    run.recipe.augmentation = nil
    let plain = try ToldRun(run, ranks: 1).summary.weightsDigest
    #expect(plain != digests[0])
    // The same changes, as a data set of the library's user.
    run.training = try Augmented(of: run.training, #require(Self.run().recipe.augmentation))
    #expect(try ToldRun(run, ranks: 3).summary.weightsDigest == digests[0])
  }

  @Test func aRunGoesOnOnOtherRanks() throws {
    var run = try Self.run()
    try run.expectToGoOn(onRanks: [(1, 3), (4, 2), (3, 1)])
    // Another augmentation, or none, is another run.
    for other in ["shift:2", nil] {
      run.recipe.augmentation = try other.map { try Augmentation($0) }
      let error = #expect(throws: TrainingError.self) { _ = try run.run(ranks: 1) }
      #expect(error?.code == .badData && error?.description.contains("augment is shift:2") == true)
    }
  }

  /// Evaluations see the images as they are.
  @Test func onlyTrainingChangesImages() throws {
    var run = try Self.run("erase:1")
    try run.expectPlainEvaluations()
  }

  @Test func partsAreTheSameOnAnyRanksAndDecide() throws {
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.subset = 70
    run.recipe.validation = 0.2
    let told = try (1...4).map { try ToldRun(run, ranks: $0) }
    #expect(Set(told.map(\.summary.weightsDigest)).count == 1)
    #expect(Set(told.map { $0.summary.validationLoss ?? .nan }).count == 1)
    #expect(told[0].description?.samples == 56 && told[0].description?.stepsPerEpoch == 3)
    var others: Set<String> = [told[0].summary.weightsDigest]
    for (subset, validation) in [(69, 0.2), (70, nil), (nil, nil), (nil, 0.2)] as [(Int?, Float?)] {
      (run.recipe.subset, run.recipe.validation) = (subset, validation)
      others.insert(try ToldRun(run, ranks: 1).summary.weightsDigest)
    }
    #expect(others.count == 5)
  }

  /// Epochs are evaluated on what was set aside, the test data once at the end.
  @Test func epochsAreEvaluatedOnTheValidationData() throws {
    var run = try Self.run(nil)
    let plain = try ToldRun(run, ranks: 2)
    #expect(plain.reports.allSatisfy { $0.evaluated == .test } && plain.summary.validationLoss == nil)
    run.startAnew()
    run.recipe.validation = 0.25
    let told = try ToldRun(run, ranks: 2)
    #expect(told.reports.count == 3 && told.reports.allSatisfy { $0.evaluated == .validation })
    #expect(told.summary.validationLoss == told.reports[2].testLoss)
    #expect(told.summary.validationAccuracy == told.reports[2].testAccuracy)
    #expect(told.summary.testLoss != told.summary.validationLoss)
    // A mean over 21 samples.
    let hits = try #require(told.summary.validationAccuracy) * 21
    #expect(abs(hits - hits.rounded()) < 1e-9)
    // The figures of the checkpoint are those of the whole run, and of a run that was complete already.
    let again = try ToldRun(run, ranks: 3)
    #expect(again.description?.isComplete == true)
    #expect(
      again.summary.testLoss == told.summary.testLoss && again.summary.validationLoss == told.summary.validationLoss)
    let directory = try #require(run.options.directory)
    let file = try CheckpointFile(CheckpointStore(directory: "\(directory)/checkpoints").path(step: 12))
    #expect(file.recipe["validation"] == "0.25" && file.recipe["subset"] == nil && file.recipe["augment"] == nil)
  }

  @Test func partsThatCannotBeAreRefused() throws {
    for (words, change) in [
      ("subset 85", { $0.subset = 85 }), ("subset 0 is less than 1", { $0.subset = 0 }),
      ("validation 1.0 is not between 0 and 1", { $0.validation = 1 }),
      ("validation nan is not between", { $0.validation = .nan }), ("validation 0.001", { $0.validation = 0.001 }),
      ("shift:8 may move all", { $0.augmentation = Augmentation([AffineTransformation(shift: 8)]) }),
      ("rotate:-1.0 is not", { $0.augmentation = Augmentation([AffineTransformation(rotate: -1)]) }),
    ] as [(String, (inout Recipe) -> Void)] {
      var run = try Self.run(nil)
      change(&run.recipe)
      let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
      #expect(
        error?.code == .usage && error?.description.contains(words) == true, "\(error?.description ?? "") \(words)")
    }
    var flat = try SmallRun()
    flat.recipe.augmentation = try Augmentation("flip")
    flat.recipe.model = try .named("mlp:2-3-10", input: [2], outputs: 10)
    let data = try InMemoryDataset(inputs: Buffer(count: 80), shape: [2], labels: Buffer(count: 40))
    (flat.training, flat.test) = (data, data)
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(flat, ranks: 1) }
    #expect(error?.description.contains("[2]") == true)
  }
}
