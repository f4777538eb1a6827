import Kernels
import Lockstep
import Testing

/// Gradients that are clipped sample by sample: the second way in which a step gets its gradient.
@Suite struct SampleClippingTests {
  @Test func theBitsAreTheSameAtAnyNumberOfRanks() throws {
    var run = try SmallRun()
    run.options.directory = nil
    let free = try run.run(ranks: 1)[0].digest
    run.recipe.sampleClipNorm = 0.5
    let digests = try run.digestsInEveryWay()
    #expect(digests.count == 1 && !digests.contains(free) && !digests.contains(nil))
  }

  @Test func aRunGoesOnFromItsCheckpointAndTheRecipeKnows() throws {
    var whole = try SmallRun()
    whole.recipe.sampleClipNorm = 0.5
    let digest = try whole.run(ranks: 1)[0].digest
    var run = try SmallRun()
    run.recipe.sampleClipNorm = 0.5
    run.options.maxSteps = 7
    _ = try run.run(ranks: 3)
    run.options.maxSteps = nil
    #expect(try run.run(ranks: 2)[0].digest == digest)
    run.recipe.sampleClipNorm = nil
    let error = #expect(throws: TrainingError.self) { try run.run(ranks: 1) }
    #expect(error?.code == .badData)
    #expect(error?.description.contains("sample_clip_norm is 0.5 there and not given here") == true)
  }

  /// Each sample's gradient by itself, scaled in Double by the formula, and added.
  @Test func theSumIsThatOfTheFormula() throws {
    let count = 12
    let data = try InMemoryDataset(
      inputs: Buffer((0..<count * 16).map { Float($0 * 37 % 101) / 50 - 1 }), shape: [16],
      labels: Buffer((0..<count).map { Int32($0 % 4) }))
    let model = Model("net", input: [16]) {
      Dense(20)
      Sigmoid()
      Dense(4)
    }
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 4), capacity: 8)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 3)
    let batches = try BatchPlan(samples: count, globalBatch: count, microbatch: 8)
    let order = EpochOrder(seed: 1, epoch: 0, count: count)
    let batch = batches.batch(0)
    for norm in [0.1, 1, 1000] as [Float] {
      let source = SampleClippedGradient(network, data, batches: batches, clipNorm: norm)
      var (clipped, kept) = (0, 0)
      for microbatch in 0..<2 {
        let share = StepShare(microbatch..<microbatch + 1, of: batch, order, step: 1)
        let found = Buffer<Float>(Array(repeating: 2, count: network.layout.count))
        source.differentiate(share, parameters: parameters, into: found, .add)
        #expect(source.losses.map(\.samples) == [microbatch == 0 ? 8 : 4])
        var expected = [Double](repeating: 0, count: found.count)
        for sample in share.samples {
          let inputs = Buffer<Float>(count: 16)
          let labels = Buffer<Int32>(count: 1)
          data.copyInputs(in: Int(sample)..<Int(sample) + 1, into: inputs)
          data.copyLabels(in: Int(sample)..<Int(sample) + 1, into: labels)
          let own = Buffer<Float>(count: found.count)
          network.differentiate(
            Examples(inputs: inputs, labels: labels), parameters: parameters, into: own, .replace, noise: share.noise)
          let length = own.array.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
          let factor = min(1, Double(norm) / (length + 1e-6))
          if factor < 1 { clipped += 1 } else { kept += 1 }
          for index in expected.indices { expected[index] += factor * Double(own[index]) }
        }
        for index in expected.indices { #expect(abs(Double(found[index]) - 2 - expected[index]) < 1e-5) }
      }
      #expect(norm == 0.1 ? clipped == count : norm == 1000 ? kept == count : true)
    }
  }
}
