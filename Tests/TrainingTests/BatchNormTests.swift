import Foundation
import Kernels
import Lockstep
import Synchronization
import Testing

/// Running averages in the whole of a run: every step moves them by the batch, on any ranks, whatever steps the weights.
@Suite struct BatchNormTests {
  /// ``SmallRun`` of a net with normalisations, one of them of a single value a sample and channel.
  private static func run(_ optimizer: any OptimizerSpecification = Adam()) throws -> SmallRun {
    var run = try SmallRun()
    let model = Model("normalised", input: [8, 8, 1]) {
      Conv2D(filters: 3, kernel: 3, padding: .same, stride: 2, bias: false)
      BatchNorm()
      ReLU()
      Residual {
        Conv2D(filters: 3, kernel: 3, padding: .same, bias: false)
        BatchNorm()
      }
      ReLU()
      GlobalAveragePool2D()
      Dense(12)
      BatchNorm()
      Dense(10)
    }
    run.recipe.model = model
    run.recipe.optimizer = optimizer
    return run
  }

  static let optimizers: [any OptimizerSpecification] = [
    Adam(), AdamW(weightDecay: 0.1), LAMB(), SGD(), SGD(momentum: 0.9, weightDecay: 0.1, isNesterov: true),
  ]

  @Test(arguments: optimizers.indices)
  func theBitsAreTheSameAtAnyNumberOfRanks(_ index: Int) throws {
    var run = try Self.run(Self.optimizers[index])
    run.options.directory = nil
    for clipNorm in [nil, 0.05 as Float] {
      run.recipe.clipNorm = clipNorm
      let digests = try run.digestsInEveryWay()
      #expect(digests.count == 1 && !digests.contains(nil))
    }
  }

  @Test(arguments: [(1, 3), (4, 2), (3, 1)])
  func aRunGoesOnAtAnotherNumberOfRanks(_ before: Int, _ after: Int) throws {
    let digest = try Self.run().run(ranks: 2)[0].digest
    var run = try Self.run()
    run.options.maxSteps = 7
    _ = try run.run(ranks: before)
    run.options.maxSteps = nil
    #expect(try run.run(ranks: after)[0].digest == digest)
  }

  /// The averages are in the block that is not stepped: weights and averages stay as they were.
  @Test(arguments: [1, 3])
  func aSkippedStepMovesNoAverage(ranks: Int) throws {
    var run = try Self.run()
    run.execution.sharesMemory = false
    run.execution.verifyEvery = .never
    run.execution.onNonFinite = .skip
    run.options.directory = nil
    let layout = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).layout
    let place = layout.ranges[layout.place(of: "batchnorm1.scale")].lowerBound
    let averages = layout.ranges[layout.place(of: "batchnorm1.mean")]
    let kept = Mutex<(scale: Float, averages: [Float])>((0, []))
    let outcomes = try run.run(ranks: ranks) { trainer, step in
      if step == 2 {
        kept.withLock { $0 = (trainer.parameters[place], trainer.parameters[averages].array) }
        trainer.parameters[place] = .nan
      }
      if step == 3 {
        #expect(kept.withLock { $0.averages } == trainer.parameters[averages].array)
        trainer.parameters[place] = kept.withLock { $0.scale }
      }
    }
    #expect(outcomes[0].events.contains("epoch 1, 1 skipped"))
    #expect(Set(outcomes.map(\.digest)).count == 1 && outcomes[0].digest != nil)
  }

  /// Averages of the weights are of running averages too, as they stand after each step, and evaluations take both.
  @Test(arguments: [1, 3])
  func averagedWeightsHaveAveragedStatistics(ranks: Int) throws {
    var run = try Self.run()
    run.recipe.ema = 0.75
    run.options.directory = nil
    let weights = Mutex<[[Float]]>([])
    let told = try ToldRun(run, ranks: ranks) { trainer, _ in weights.withLock { $0.append(trainer.parameters.array) } }
    let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 64)
    let averages = Buffer<Float>(count: network.layout.count)
    network.initialise(averages, seed: 0)
    for step in weights.withLock({ $0 }) { average(Buffer(step), into: averages, keeping: 0.75) }
    #expect(told.summary.averagedWeightsDigest == network.layout.digest(of: averages).hex)
  }

  /// What is frozen is moved by nothing, and running averages are nothing that learns.
  @Test func frozenStatisticsStay() throws {
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.frozen = [Glob("batchnorm1.*")]
    let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 64)
    let first = Buffer<Float>(count: network.layout.count)
    network.initialise(first, seed: 0)
    _ = try run.run(ranks: 2) { [layout = network.layout] trainer, _ in
      for (parameter, range) in zip(layout.parameters, layout.ranges) {
        let isFrozen = parameter.name.hasPrefix("batchnorm1.")
        #expect((trainer.parameters[range].array == first[range].array) == isFrozen, "\(parameter.name)")
      }
    }
    run.recipe.frozen = ["weights", "bias", "scale", "shift"].map { Glob("*.\($0)") }
    let error = #expect(throws: TrainingError.self) { try run.run(ranks: 1) }
    #expect(error?.description.contains("nothing is left to learn") == true)
  }

  /// A sample by itself has no batch.
  @Test func samplesAreNotClippedOneByOne() throws {
    var run = try Self.run()
    run.recipe.sampleClipNorm = 1
    let error = #expect(throws: TrainingError.self) { try run.run(ranks: 1) }
    #expect(error?.code == .usage)
    #expect(
      error?.description
        == "sampleClipNorm takes each sample by itself, but the batch normalisation of model normalised takes a microbatch "
        + "together; leave sampleClipNorm out, or give clipNorm")
    run.recipe.model = try SmallRun().recipe.model
    #expect(throws: Never.self) { try run.run(ranks: 1) }
  }

  /// A step by SGD over 6 samples in one microbatch or in three, from given weights.
  private static func stepped(microbatch: Int, steps: Int = 1, clipNorm: Float? = nil) throws -> (
    layout: ParameterLayout, weights: Buffer<Float>
  ) {
    func wave(_ count: Int, at phase: Double = 0, scale: Double = 1) -> Buffer<Float> {
      Buffer((0..<count).map { Float(scale * sin(1.3 * Double($0) + phase)) })
    }
    let data = try InMemoryDataset(
      inputs: wave(6 * 32), shape: [4, 4, 2], labels: Buffer([0, 1, 2, 3, 0, 1]))
    let model = Model("small", input: [4, 4, 2]) {
      Conv2D(filters: 3, kernel: 3, padding: .same, bias: false)
      BatchNorm()
      ReLU()
      GlobalAveragePool2D()
      Dense(4)
    }
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 4), capacity: 6)
    let parameters = Buffer<Float>(count: network.layout.count)
    let values = [
      wave(54, at: 1), Buffer(wave(3, at: 2, scale: 0.25).array.map { 1 + $0 }), wave(3, at: 3, scale: 0.25),
      Buffer<Float>(count: 3), Buffer<Float>([1, 1, 1]), wave(12, at: 4), wave(4, at: 5),
    ]
    for (range, value) in zip(network.layout.ranges, values) { parameters[range].copy(from: value) }
    let batches = try BatchPlan(samples: 6, globalBatch: 6, microbatch: microbatch)
    let communicator = SoloCommunicator()
    let optimizer = SGD(learningRate: 0.1)
    let division = StepDivision(
      of: network.layout, optimizer: optimizer, communicator: communicator, method: .lockstep, sharesMemory: false,
      shards: false)
    let step = try TrainingStep(
      NetworkGradient(network, data, batches: batches), layout: network.layout, batches: batches,
      parameters: parameters, optimizer: optimizer.makeOptimizer(for: network.layout), division: division,
      communicator: communicator)
    step.clipNorm = clipNorm
    for number in 1..<steps + 1 {
      _ = try step.take(batches.batch(0), of: EpochOrder(seed: 0, epoch: 0, count: 6), step: number)
    }
    return (network.layout, parameters)
  }

  /// With one microbatch, what PyTorch 2.15 computes: two steps, and the averages behind them. The script:
  ///
  ///     conv, bn, out = nn.Conv2d(2, 3, 3, padding=1, bias=False).double(), nn.BatchNorm2d(3).double(), nn.Linear(3, 4).double()
  ///     w = double(wave(3, 3, 2, 3, at=1))           # the functions of PyTorchLayerTests' script
  ///     bn.weight.data, bn.bias.data = 1 + wave(3, at=2, scale=0.25).double(), wave(3, at=3, scale=0.25).double()
  ///     out.weight.data, out.bias.data = wave(4, 3, at=4).double(), wave(4, at=5).double()
  ///     x, y = wave(6, 4, 4, 2).double(), torch.tensor([0, 1, 2, 3, 0, 1])
  ///     opt = torch.optim.SGD([w, *bn.parameters(), *out.parameters()], lr=0.1)
  ///     for _ in range(2):
  ///         opt.zero_grad()
  ///         h = F.relu(bn(F.conv2d(first(x), w.permute(3, 2, 0, 1), padding=1))).mean((2, 3))
  ///         F.cross_entropy(out(h), y).backward(); opt.step()
  ///     for p in (w, bn.weight, bn.bias, bn.running_mean, bn.running_var, out.weight, out.bias): print(p.flatten()[:4].tolist())
  @Test func stepsArePyTorchs() throws {
    let (layout, parameters) = try Self.stepped(microbatch: 6, steps: 2)
    let expected: [[Double]] = [
      [0.8407014, 0.7475605, -0.4417251, -0.9859452],
      [1.229491, 0.9321681, 0.731687],
      [0.04394102, -0.2556081, -0.1772909],
      [0.0007256535, -0.001325298, -0.00143981],
      [0.9598068, 0.9573625, 0.9578674],
      [-0.7219939, -0.8146727, 0.327087, 1.00358],
      [-0.9001923, 0.02702724, 0.9054661, 0.494529],
    ]
    #expect(expected.count == layout.ranges.count)
    for ((range, values), parameter) in zip(zip(layout.ranges, expected), layout.parameters) {
      for (place, value) in zip(range, values) {
        #expect(abs(Double(parameters[place]) - value) < 1e-5, "\(parameter.name)")
      }
    }
  }

  /// A norm just below the limit is not clipped, however large what the averages' places hold.
  @Test func averagesAreNotInTheNorm() throws {
    let (layout, before) = try Self.stepped(microbatch: 6, steps: 0)
    let (_, free) = try Self.stepped(microbatch: 6)
    var squares = 0.0
    for (parameter, range) in zip(layout.parameters, layout.ranges) where parameter.role != .average {
      for place in range { squares += pow(Double(free[place] - before[place]) / 0.1, 2) }
    }
    let norm = Float(squares.squareRoot())
    #expect(norm > 0.1 && norm < 10)
    let same = try Self.stepped(microbatch: 6, clipNorm: norm * 1.01).weights
    #expect(same.array == free.array)
    #expect(try Self.stepped(microbatch: 6, clipNorm: norm * 0.9).weights.array != free.array)
  }

  /// With several, the averages move to the mean of the microbatches' own, each as often as it has samples.
  @Test func microbatchesAreAveraged() throws {
    let (layout, whole) = try Self.stepped(microbatch: 6)
    let mean = layout.ranges[layout.place(of: "batchnorm1.mean")]
    let variance = layout.ranges[layout.place(of: "batchnorm1.variance")]
    for microbatch in [1, 2, 4] {
      let (_, parts) = try Self.stepped(microbatch: microbatch)
      // The mean of the means is that of all; the variances lose what lies between the microbatches.
      for place in mean { #expect(abs(parts[place] - whole[place]) < 1e-6) }
      for place in variance { #expect(parts[place] != whole[place] && abs(parts[place] - whole[place]) < 0.05) }
    }
  }
}
