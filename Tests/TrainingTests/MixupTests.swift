import Lockstep
import Testing

/// Runs whose samples are mixed with others.
@Suite struct MixupTests {
  private static func run(_ text: String? = "shift:1,mixup:0.4") throws -> SmallRun {
    var run = try SmallRun()
    run.recipe.model = Model("dropping", input: [8, 8, 1]) {
      Flatten()
      Dense(16)
      ReLU()
      Dropout(0.3)
      Dense(10)
    }
    run.recipe.augmentation = try text.map { try Augmentation($0) }
    return run
  }

  @Test func aRunIsTheSameOnAnyRanks() throws {
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.subset = 80
    let digests = try run.digestsInEveryWay()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    var others: Set<String?> = digests
    for text in ["shift:1,mixup:0.5", "shift:1", "mixup:0.4", nil] {
      run.recipe.augmentation = try text.map { try Augmentation($0) }
      others.insert(try run.run(ranks: 1)[0].digest)
    }
    #expect(others.count == 5)
    // Clipped sample by sample.
    run.recipe.augmentation = try Augmentation("mixup")
    run.recipe.sampleClipNorm = 0.5
    #expect(try Set((1...3).map { try run.run(ranks: $0)[0].digest }).count == 1)
  }

  @Test func aRunGoesOnOnOtherRanks() throws {
    var run = try Self.run()
    try run.expectToGoOn(onRanks: [(1, 3), (4, 2)])
    run.recipe.augmentation = try Augmentation("shift:1")
    let error = #expect(throws: TrainingError.self) { _ = try run.run(ranks: 1) }
    #expect(error?.description.contains("augment is shift:1,mixup:0.4 there and shift:1 here") == true)
  }

  /// The step's gradient is that of the inputs and targets mixed by hand, and the training part's samples are all that partners are of.
  @Test func aStepIsThatOfMixedSamples() throws {
    let inputs = Buffer<Float>(count: 60)
    for place in 0..<60 { inputs[place] = Float(place * 37 % 29) / 29 }
    let labels = Buffer((0..<10).map { Int32($0 % 3) })
    let data = try InMemoryDataset(inputs: inputs, shape: [6], labels: labels)
    let loss = SoftmaxCrossEntropy(classes: 3)
    let model = Model("linear", input: [6]) { Dense(3) }
    let batches = try BatchPlan(samples: 10, globalBatch: 4, microbatch: 4)
    let network = try Network(model, loss: loss, capacity: 128)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 1)
    let mixup = Mixup(alpha: 1)
    let source = NetworkGradient(network, data, batches: batches, mixup: mixup)
    let communicator = SoloCommunicator()
    let step = try TrainingStep(
      source, layout: network.layout, batches: batches, parameters: parameters,
      optimizer: SGD(learningRate: 1).makeOptimizer(for: network.layout),
      division: StepDivision(
        of: network.layout, optimizer: SGD(learningRate: 1), communicator: communicator, method: .lockstep,
        sharesMemory: false, shards: false), communicator: communicator)
    let before = parameters.array
    let order = EpochOrder(seed: 0, epoch: 0, count: 10)
    let outcome = try step.take(batches.batch(1), of: order, step: 2)

    let weights = Buffer(before)
    let (expected, one) = (Buffer<Float>(count: weights.count), Buffer<Float>(count: weights.count))
    var total = 0.0
    for place in 0..<4 {
      let sample = Int(order.samples[4 + place])
      let (partner, share) = mixup.draw(Noise(seed: 0, step: 2, firstPosition: 0), place: place, of: 10)
      let mixed = Buffer((0..<6).map { share * inputs[sample * 6 + $0] + (1 - share) * inputs[Int(partner) * 6 + $0] })
      for (label, part) in [(labels[sample], share), (labels[Int(partner)], 1 - share)] {
        let sums = network.differentiate(
          Examples(inputs: mixed, labels: Buffer([label])), parameters: weights, into: one, .replace,
          noise: Noise(seed: 0, step: 2, firstPosition: 0))
        total += Double(part) * sums.loss
        for index in 0..<one.count { expected[index] += part * one[index] / 4 }
      }
    }
    #expect(abs(outcome.losses.loss - total) < 1e-5)
    for index in 0..<before.count {
      #expect(abs(before[index] - parameters[index] - expected[index]) < 1e-6, "parameter \(index)")
    }
  }

  /// Evaluations see samples as they are.
  @Test func onlyTrainingMixes() throws {
    var run = try Self.run("mixup:1")
    try run.expectPlainEvaluations()
  }

  /// Samples that are no images can be mixed, those without classes cannot.
  @Test func otherSamples() throws {
    var run = try Self.run("mixup")
    run.options.directory = nil
    run.recipe.model = try .named("mlp:2-3-10", input: [2], outputs: 10)
    let inputs = Buffer((0..<80).map { Float($0 % 7) })
    let data = try InMemoryDataset(inputs: inputs, shape: [2], labels: Buffer((0..<40).map { Int32($0 % 10) }))
    (run.training, run.test) = (data, data)
    #expect(try Set((1...2).map { try run.run(ranks: $0)[0].digest }).count == 1)
    run.recipe.augmentation = Augmentation([], mixup: Mixup(alpha: -1))
    let wrong = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(wrong?.code == .usage && wrong?.description.contains("mixup:-1.0 is not") == true)

    run.recipe.augmentation = try Augmentation("mixup")
    run.recipe.model = try .named("mlp:2-3-1", input: [2], outputs: 1)
    run.recipe.loss = MeanSquaredError(outputs: 1)
    let numbers = try InMemoryDataset(inputs: inputs, shape: [2], values: Buffer(count: 40))
    (run.training, run.test) = (numbers, numbers)
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(
      error?.code == .usage
        && error?.description.contains("mixup:0.2 mixes classes, but the data's targets are 1 real number") == true,
      "\(error?.description ?? "")")
  }
}
