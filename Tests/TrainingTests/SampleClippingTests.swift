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

  /// Nets whose layers tell how long each sample's gradient is: by every kernel of theirs.
  static let nets: [(name: String, input: Shape, layers: [any LayerSpecification])] = [
    ("article", [10, 10, 1], [Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2), Flatten(), Dense(4)]),
    (
      "pooled", [12, 12, 1],
      [
        Conv2D(filters: 16, kernel: 3), ReLU(), MaxPool2D(2), Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2),
        Flatten(), Dense(64), Tanh(), Dense(4),
      ]
    ),
    (
      "patches", [9, 10, 1],
      [
        Conv2D(filters: 5, kernel: 4, padding: .valid, stride: 2), Sigmoid(), MaxPool2D(2, stride: 1),
        Conv2D(filters: 3, kernel: 2, bias: false), ReLU(), Flatten(), Dense(7), Dropout(0.3), Dense(4),
      ]
    ),
    (
      "same", [8, 8, 1],
      [
        Conv2D(filters: 32, kernel: 3, padding: .same), ReLU(), Conv2D(filters: 32, kernel: 3, padding: .same),
        GlobalAveragePool2D(), Dense(4),
      ]
    ),
    ("tokens", [4, 16], [TokenDense(9), GELU(), Flatten(), Dense(48), ReLU(), Dense(4)]),
  ]

  /// The sum over a microbatch in two passes is that of a pass for each sample, but for rounding.
  @Test(arguments: nets.indices) func samplesTogetherAreThoseApart(net: Int) throws {
    let (name, shape, layers) = Self.nets[net]
    let count = 11
    let data = try InMemoryDataset(
      inputs: Buffer((0..<count * shape.count).map { Float($0 * 37 % 101) / 50 - 1 }), shape: shape,
      labels: Buffer((0..<count).map { Int32($0 % 4) }))
    let network = try Network(
      Model(name: name, input: shape, layers: layers), loss: SoftmaxCrossEntropy(classes: 4), capacity: count)
    #expect(network.clipsSamplesTogether)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 3)
    let batches = try BatchPlan(samples: count, globalBatch: count, microbatch: count)
    let share = StepShare(0..<1, of: batches.batch(0), EpochOrder(seed: 1, epoch: 0, count: count), step: 1)
    func gradient(_ norm: Float, together: Bool, _ data: any Dataset) -> [Float] {
      let source = SampleClippedGradient(network, data, batches: batches, clipNorm: norm, together: together)
      let found = Buffer<Float>(Array(repeating: 2, count: network.layout.count))
      source.differentiate(share, parameters: parameters, into: found, .add)
      #expect(source.losses.map(\.samples) == [count])
      return found.array
    }
    for norm in [0.05, 1, 1000] as [Float] {
      let (apart, together) = (gradient(norm, together: false, data), gradient(norm, together: true, data))
      let largest = apart.reduce(0) { max($0, abs($1 - 2)) }
      #expect(largest > 0 && apart != gradient(norm * 0.9, together: false, data) || norm == 1000)
      let difference = zip(apart, together).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 1e-5 * max(largest, 0.05), "\(name) at \(norm): \(difference) of \(largest)")
    }
    // A sample that is not finite is found, and left out.
    let inputs = Buffer((0..<count * shape.count).map { Float($0 * 37 % 101) / 50 - 1 })
    inputs[3 * shape.count] = .infinity
    let broken = try InMemoryDataset(inputs: inputs, shape: shape, labels: Buffer((0..<count).map { Int32($0 % 4) }))
    let (apart, together) = (gradient(1, together: false, broken), gradient(1, together: true, broken))
    #expect(apart == together && apart.allSatisfy(\.isFinite))
  }

  @Test func layersThatCannotTellHaveAPassASample() throws {
    for name in ["lstm", "vit", "resnet"] {
      let model = try Model.named(name, input: [28, 28, 1], outputs: 10)
      #expect(try !Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 4).clipsSamplesTogether)
    }
    let model = try Model.named("mlp:64-16-10", input: [8, 8, 1], outputs: 10)
    let loss = SoftmaxCrossEntropy(classes: 10)
    #expect(try Network(model, loss: loss, capacity: 4).clipsSamplesTogether)
    #expect(try !Network(model, loss: loss, capacity: 4, frozen: [Glob("dense1*")]).clipsSamplesTogether)
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
