import Lockstep
import Synchronization
import Testing

/// Runs on data of any kind: what the bits follow from is the samples, and not where they come from or who copies them.
@Suite struct DatasetTests {
  /// A data set of a user's own: points on three arms of a spiral, each moved a little at every step.
  private final class Spiral: Dataset {
    /// Where a sample was copied for training.
    struct Place: Hashable {
      var step: Int
      var position: Int
    }

    let count: Int
    let movement: Float
    /// How often a sample was copied for each place of a run, and how often without one.
    let copies = Mutex<(places: [Place: Int], withoutNoise: Int)>(([:], 0))

    init(count: Int, movement: Float = 0.1) {
      self.count = count
      self.movement = movement
    }

    var inputShape: Shape { [2] }
    var targets: Targets { Classes(checking: 3, firstLabel: 0).map { .classes($0) } ?? .labels(0...2) }
    var digest: SHA256Digest { SHA256Digest(of: Array("spiral of \(count), moved by \(movement)".utf8)) }

    func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
      for (place, sample) in samples.enumerated() {
        let radius = Float(sample + 1) / Float(count)
        // Squares and products alone: the C library's sine is not everywhere the same.
        destination[2 * place] = radius * [1, -0.5, -0.5][Int(sample) % 3] + radius * radius
        destination[2 * place + 1] = radius * [0, 0.866, -0.866][Int(sample) % 3] - radius * radius * radius
        guard var words = noise?.words(forSample: place, .augmentation) else { continue }
        for axis in 0..<2 { destination[2 * place + axis] += movement * (2 * words.nextUniform() - 1) }
      }
      copies.withLock { copies in
        guard let noise else { return copies.withoutNoise += samples.count }
        for place in 0..<samples.count {
          copies.places[Place(step: noise.step, position: noise.firstPosition + place), default: 0] += 1
        }
      }
    }

    func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
      for (place, sample) in samples.enumerated() { destination[place] = Int32(sample % 3) }
    }
  }

  private static func train(
    _ recipe: Recipe, _ training: any Dataset, _ test: any Dataset, options: RunOptions = RunOptions(), ranks: Int
  ) throws -> TrainingSummary {
    let summaries = try InProcessCommunicator.run(size: ranks) { communicator in
      try Trainer(recipe, training: training, test: test, options: options, on: communicator).run()
    }
    #expect(Set(summaries.map(\.weightsDigest)).count == 1)
    return summaries[0]
  }

  /// Stops a run at step 7 on two ranks, goes on with it on three, and expects the weights of `whole`; then evaluates its checkpoint on data as
  /// they come and on data that are prepared already. Returns the run's options.
  private static func expectResumed(
    _ recipe: Recipe, _ training: any Dataset, _ test: (prepared: any Dataset, base: any Dataset),
    as whole: TrainingSummary, in scratch: Scratch
  ) throws -> RunOptions {
    var options = RunOptions()
    let path = "\(scratch.path)/run"
    options.directory = path
    options.maxSteps = 7
    _ = try train(recipe, training, test.prepared, options: options, ranks: 2)
    options.maxSteps = nil
    let resumed = try train(recipe, training, test.prepared, options: options, ranks: 3)
    #expect(resumed.weightsDigest == whole.weightsDigest)
    for data in [test.base, test.prepared] {
      let losses = try InProcessCommunicator.run(size: 2) { communicator in
        let restored = try RestoredNetwork(path, for: data, program: "test", communicator: communicator) { _ in }
        return try Evaluation(network: restored.network, data: restored.data, communicator: communicator)
          .run(restored.parameters).sums.meanLoss
      }
      #expect(losses == [resumed.testLoss, resumed.testLoss])
    }
    return options
  }

  @Test func aDatasetOfOnesOwnTrainsOnAnyRanksToTheSameBits() throws {
    var run = try SmallRun()
    run.recipe.model = try .named("mlp:2-16-3", input: [2], outputs: 3)
    run.recipe.loss = SoftmaxCrossEntropy(classes: 3)
    var digests: Set<String> = []
    for ranks in 1...3 {
      let (training, test) = (Spiral(count: 84), Spiral(count: 200))
      let summary = try Self.train(run.recipe, training, test, ranks: ranks)
      digests.insert(summary.weightsDigest)
      #expect(summary.testMetrics?.classes.count == 3, "as many as the data set says")
      // Every place of every batch once, whoever computed it: fifteen steps, of which every fifth is short.
      let places = training.copies.withLock { $0 }
      #expect(places.places.count == 3 * 84 && places.places.values.allSatisfy { $0 == 1 })
      #expect(Set(places.places.keys.map(\.step)) == Set(1...15))
      #expect(places.places.keys.allSatisfy { $0.position < ($0.step % 5 == 0 ? 4 : 20) })
      #expect(places.withoutNoise == 0)
      let tested = test.copies.withLock { $0 }
      #expect(tested.places.isEmpty && tested.withoutNoise == 3 * 200, "an evaluation has no noise")
    }
    #expect(digests.count == 1)
    let still = try Self.train(run.recipe, Spiral(count: 84, movement: 0), Spiral(count: 200), ranks: 1)
    #expect(!digests.contains(still.weightsDigest), "the noise had no effect")
  }

  private static func inMemory(_ data: any Dataset) throws -> InMemoryDataset {
    let inputs = Buffer<Float>(count: data.count * data.inputShape.count)
    let labels = Buffer<Int32>(count: data.count)
    data.copyInputs(in: 0..<data.count, into: inputs)
    data.copyLabels(in: 0..<data.count, into: labels)
    return try InMemoryDataset(inputs: inputs, shape: data.inputShape, labels: labels)
  }

  @Test func theSameSamplesGiveTheSameWeightsFromAnywhere() throws {
    let files = try SmallRun()
    var run = files
    run.options.directory = nil
    let expected = try run.run(ranks: 1)[0].digest
    let memory = (training: try Self.inMemory(files.training), test: try Self.inMemory(files.test))
    // Everything, in its order; and out of another order, back again.
    let whole = try Subset(of: files.training, indices: 0..<84)
    let turned = try Subset(of: Subset(of: memory.training, indices: (0..<84).reversed()), indices: (0..<84).reversed())
    var digests: Set<SHA256Digest> = [files.training.digest]
    for training in [memory.training, whole, turned] as [any Dataset] {
      run.training = training
      run.test = memory.test
      for ranks in [1, 3] {
        #expect(try run.run(ranks: ranks).allSatisfy { $0.digest == expected }, "\(training.name), \(ranks) ranks")
      }
      digests.insert(training.digest)
    }
    #expect(digests.count == 4, "the recipe names the data")
  }

  @Test func aShardTrainsByItself() throws {
    var run = try SmallRun()
    run.options.directory = nil
    let whole = run.training
    var digests: Set<String?> = []
    for shard in 0..<2 {
      run.training = try whole.shard(Shard(shard, of: 2, .modulo))
      let (one, three) = (try run.run(ranks: 1), try run.run(ranks: 3))
      #expect(Set((one + three).map(\.digest)).count == 1)
      digests.insert(one[0].digest)
    }
    #expect(digests.count == 2 && !digests.contains(nil))
  }

  /// `count` points of [-1, 1]², and two functions of them.
  private static func surface(_ count: Int, from first: UInt64 = 0) throws -> InMemoryDataset {
    var stream = Philox(seed: 7, purpose: Philox.Purpose(rawValue: 1001), stream: first)
    let (points, values) = (Buffer<Float>(count: 2 * count), Buffer<Float>(count: 2 * count))
    for sample in 0..<count {
      let (x, y) = (2 * stream.nextUniform() - 1, 2 * stream.nextUniform() - 1)
      (points[2 * sample], points[2 * sample + 1]) = (x, y)
      (values[2 * sample], values[2 * sample + 1]) = (x - 2 * y, x * y)
    }
    return try InMemoryDataset(inputs: points, shape: [2], values: values)
  }

  private static var regression: Recipe {
    var recipe = Recipe(
      model: Model("curve", input: [2]) {
        Dense(24)
        ReLU()
        Dense(2)
      }, loss: MeanSquaredError(outputs: 2))
    recipe.epochs = 30
    recipe.globalBatch = 20
    recipe.microbatch = 4
    recipe.learningRate = 0.02
    return recipe
  }

  @Test func realNumbersAreLearntToTheSameBitsOnAnyRanks() throws {
    let (training, test) = (try Self.surface(84), try Self.surface(100, from: 1))
    let summaries = try (1...3).map { try Self.train(Self.regression, training, test, ranks: $0) }
    #expect(Set(summaries.map(\.weightsDigest)).count == 1)
    #expect(Set(summaries.map(\.testLoss)).count == 1)
    // The functions' own mean square is near 0.9.
    #expect(summaries[0].testLoss < 0.05, "\(summaries[0].testLoss)")
    // Nothing is right or wrong.
    #expect(summaries[0].testMetrics == nil && summaries[0].testAccuracy == nil)
  }

  @Test func realNumbersAreResumedAndEvaluatedFromACheckpoint() throws {
    let scratch = try Scratch()
    let (training, test) = (try Self.surface(84), try Self.surface(100, from: 1))
    var (recipe, options) = (Self.regression, RunOptions())
    recipe.model = try .named("mlp:2-24-2", input: [2], outputs: 2)
    recipe.epochs = 3
    let uninterrupted = try Self.train(recipe, training, test, ranks: 1)
    options.directory = "\(scratch.path)/run"
    options.maxSteps = 7
    _ = try Self.train(recipe, training, test, options: options, ranks: 2)
    options.maxSteps = nil
    let resumed = try Self.train(recipe, training, test, options: options, ranks: 3)
    #expect(resumed.weightsDigest == uninterrupted.weightsDigest)

    let path = "\(scratch.path)/run"
    let losses = try InProcessCommunicator.run(size: 2) { communicator in
      let restored = try RestoredNetwork(path, for: test, program: "test", communicator: communicator) { _ in }
      let sums = try Evaluation(network: restored.network, data: test, communicator: communicator)
        .run(restored.parameters).sums
      return sums.loss / Double(sums.samples)
    }
    #expect(losses == [resumed.testLoss, resumed.testLoss])

    let images = try SmallRun().test
    let error = #expect(throws: TrainingError.self) {
      try RestoredNetwork(path, for: images, program: "test", communicator: SoloCommunicator()) { _ in }
    }
    #expect(error?.code == .badData, "\(error?.description ?? "")")
  }

  /// The images of a small run in black and white, drawn anew at every step, and a model that predicts their pixels.
  private static func pixels() throws -> (Recipe, BinarisedPixels, BinarisedPixels) {
    var run = try SmallRun()
    run.recipe.model = try .named("wavenet", input: [4, 4, 1], outputs: 16)
    run.recipe.loss = PixelSigmoidCrossEntropy(pixels: 16)
    return (
      run.recipe, try BinarisedPixels(of: run.training, poolingBy: 2, .bernoulli(seed: 3)),
      try BinarisedPixels(of: run.test, poolingBy: 2, .bernoulli(seed: 3))
    )
  }

  @Test func pixelsAreLearntResumedAndEvaluatedToTheSameBits() throws {
    let scratch = try Scratch()
    let (recipe, training, test) = try Self.pixels()
    let summaries = try (1...3).map { try Self.train(recipe, training, test, ranks: $0) }
    #expect(Set(summaries.map(\.weightsDigest)).count == 1 && Set(summaries.map(\.testLoss)).count == 1)
    #expect(summaries[0].testAccuracy == nil && summaries[0].testMetrics == nil)
    // Nats an image: of 16 pixels whose probabilities are near a half.
    #expect((8..<16).contains(summaries[0].testLoss), "\(summaries[0].testLoss)")

    let options = try Self.expectResumed(recipe, training, (test, test.base), as: summaries[0], in: scratch)
    // Another drawing is another recipe.
    let other = try BinarisedPixels(of: training.base, poolingBy: 2, .bernoulli(seed: 4))
    let error = #expect(throws: TrainingError.self) {
      try Self.train(recipe, other, test, options: options, ranks: 1)
    }
    #expect(error?.code == .badData, "\(error?.description ?? "")")
  }

  @Test func hiddenPatchesAreLearntResumedAndEvaluatedToTheSameBits() throws {
    let scratch = try Scratch()
    var run = try SmallRun()
    let (training, test) = (try HiddenPatches(of: run.training), try HiddenPatches(of: run.test))
    run.recipe.model = try .named("bert", input: [8, 8, 2], outputs: 64)
    run.recipe.loss = try Objective.hiddenPixels.loss(over: training, test)
    run.recipe.epochs = 2
    let summaries = try (1...4).map { try Self.train(run.recipe, training, test, ranks: $0) }
    #expect(Set(summaries.map(\.weightsDigest)).count == 1 && Set(summaries.map(\.testLoss)).count == 1)
    #expect(summaries[0].testAccuracy == nil && summaries[0].testMetrics == nil)
    #expect((0.001..<2).contains(summaries[0].testLoss), "\(summaries[0].testLoss)")

    let options = try Self.expectResumed(run.recipe, training, (test, test.base), as: summaries[0], in: scratch)
    let path = try #require(options.directory)
    let error = #expect(throws: TrainingError.self) { try RestoredNetwork.generator(path) { _ in } }
    #expect(error?.code == .usage && error?.description.contains("draws no images") == true)

    // A transformer that sees all begins with what this one has learnt: everything but what reads a class off.
    run.recipe.model = try .named("vit", input: [8, 8, 1], outputs: 10)
    run.recipe.loss = SoftmaxCrossEntropy(classes: 10)
    run.recipe.initialWeights = CheckpointStore(directory: "\(path)/checkpoints").path(step: 10)
    run.recipe.epochs = 1
    run.options.directory = nil
    let told = try ToldRun(run, ranks: 2)
    let weights = try #require(told.description?.initialWeights)
    #expect(weights.left == ["dense1.weights, which is not there", "dense1.bias, which is not there"])
    #expect(weights.taken.count == 78 && weights.taken.contains("layernorm1.scale"), "\(weights.text)")
    run.recipe.initialWeights = nil
    #expect(try ToldRun(run, ranks: 1).summary.weightsDigest != told.summary.weightsDigest)
  }

  @Test func hiddenPatchesAreOfImagesAlone() throws {
    let run = try SmallRun()
    let hidden = try HiddenPatches(of: run.training)
    for (task, data, words) in [
      (.hiddenPixels, run.training, "whose targets are classes"),
      (.classify, hidden, "whose targets are the 128 numbers"),
      (.hiddenPixels, try BinarisedPixels(of: run.training, .threshold(0.5)), "samples of shape [8, 8, 1]"),
    ] as [(Objective, any Dataset, String)] {
      let error = #expect(throws: TrainingError.self) { try task.loss(over: data, data) }
      #expect(error?.code == .usage && error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
    for kind in PixelTask.Kind.allCases {
      #expect(Objective(kind.rawValue) == Objective(kind) && Objective(kind).description == kind.rawValue)
    }
  }

  /// A transformer over pixels takes 0 and 1 alone: images are changed before they are made black and white.
  @Test func changedImagesAreInBlackAndWhiteToo() throws {
    let (pixels, training, test) = try Self.pixels()
    var recipe = pixels
    recipe.model = try .named("gpt", input: [4, 4, 1], outputs: 32)
    recipe.loss = PixelSoftmaxCrossEntropy(pixels: 16)
    recipe.epochs = 1
    var digests: [String?] = [try Self.train(recipe, training, test, ranks: 1).weightsDigest]
    recipe.augmentation = try Augmentation("shift:1,rotate:20")
    let changed = try (1...2).map { try Self.train(recipe, training, test, ranks: $0).weightsDigest }
    #expect(changed[0] == changed[1] && !digests.contains(changed[0]))
    digests.append(changed[0])
    recipe.validation = 0.25
    digests.append(try Self.train(recipe, training, test, ranks: 2).weightsDigest)
    #expect(Set(digests).count == 3)
  }

  @Test func anInputCanBeItsOwnTargetOfAnyLoss() throws {
    let (pixels, training, test) = try Self.pixels()
    var recipe = pixels
    recipe.model = try .named("mlp:16-4-16", input: [4, 4, 1], outputs: 16)
    recipe.loss = try Objective.regress.loss(over: training, test)
    let summary = try Self.train(recipe, training, test, ranks: 2)
    #expect(summary.testLoss > 0 && summary.testLoss < 2)
    #expect(throws: TrainingError.self) { try Objective.classify.loss(over: training, test) }
    #expect(throws: TrainingError.self) { try Objective.pixelsBySigmoid.loss(over: training.base, test.base) }
  }

  @Test func dataThatDoNotFitTheTaskOrEachOtherAreRefused() throws {
    let run = try SmallRun()
    let surface = try Self.surface(84)
    let one = try InMemoryDataset(inputs: Buffer(count: 168), shape: [2], values: Buffer(count: 84))
    let tall = try InMemoryDataset(inputs: Buffer(count: 168), shape: [2, 1], values: Buffer(count: 168))
    for (task, training, test, code, words) in [
      (.classify, surface, surface, .usage, "whose targets are 2 real numbers"),
      (.binary(positive: 1), surface, surface, .usage, "whose targets are 2 real numbers"),
      (.regress, run.training, run.test, .usage, "whose targets are classes"),
      (.regress, surface, one, .badData, "its targets are 1 real number, and those of the other part 2 real numbers"),
      (.regress, surface, run.test, .badData, "its targets are classes"),
      (.regress, surface, tall, .badData, "test inputs are of shape [2, 1], but the model takes [2]"),
      (.classify, Spiral(count: 84), Spiral(count: 0), .badData, "Spiral: holds no samples"),
    ] as [(Objective, any Dataset, any Dataset, TrainingError.Code, String)] {
      let error = #expect(throws: TrainingError.self) {
        var recipe = Self.regression
        recipe.loss = try task.loss(over: training, test)
        _ = try Trainer(recipe, training: training, test: test)
      }
      #expect(error?.code == code && error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }
}
