import FoundationEssentials
import Lockstep
import Synchronization
import Testing

/// Runs that begin with others' weights, and that leave some as they are.
@Suite struct TransferTests {
  private static func model(_ classes: Int = 10, hidden: Int = 12) -> Model {
    Model("net", input: [8, 8, 1]) {
      Conv2D(filters: 4, kernel: 3)
      ReLU()
      Flatten()
      Dense(hidden)
      ReLU()
      Dense(classes)
    }
  }

  private static func run() throws -> SmallRun {
    var run = try SmallRun()
    run.recipe.model = model()
    return run
  }

  /// Files that outlive the runs that they are of.
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The path of a copy of the last checkpoint of `run`, which has 15 steps.
  private func checkpoint(_ run: SmallRun) throws -> String {
    _ = try ToldRun(run, ranks: 1)
    let path = "\(scratch.path)/first.safetensors"
    try FileManager.default.copyItem(
      atPath: CheckpointStore(directory: "\(run.options.directory ?? "")/checkpoints").path(step: 15), toPath: path)
    return path
  }

  /// The parameters' values by name, after the run's first step or at its end.
  private static func values(_ run: SmallRun, ranks: Int = 1) throws -> [String: [Float]] {
    let last = Mutex<[Float]>([])
    _ = try ToldRun(run, ranks: ranks) { trainer, _ in last.withLock { $0 = trainer.parameters.array } }
    let layout = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 64).layout
    return Dictionary(
      uniqueKeysWithValues: zip(layout.parameters, layout.ranges).map { parameter, range in
        (parameter.name, Array(last.withLock { $0[range] }))
      })
  }

  private static func stored(_ path: String, _ name: String) throws -> [Float] {
    let file = try SafeTensorsFile(path)
    let shape = try #require(file.header.tensor(named: name)).shape
    let values = Buffer<Float>(count: shape.count)
    try file.read(name, shape: shape, into: values)
    return values.array
  }

  @Test func frozenParametersKeepTheirBits() throws {
    for optimizer in [Adam(), AdamW(weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1), LAMB()]
      as [any OptimizerSpecification]
    {
      var run = try Self.run()
      run.options.directory = nil
      run.recipe.optimizer = optimizer
      run.recipe.ema = 0.9
      run.recipe.frozen = [Glob("convolution*"), Glob("dense1.bia?")]
      let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 64)
      let first = Buffer<Float>(count: network.layout.count)
      network.initialise(first, seed: 0)
      var digests: Set<String> = []
      for ranks in 1...4 {
        let values = try Self.values(run, ranks: ranks)
        for (parameter, range) in zip(network.layout.parameters, network.layout.ranges) {
          let isFrozen = parameter.name.hasPrefix("convolution") || parameter.name == "dense1.bias"
          #expect((values[parameter.name] == first[range].array) == isFrozen, "\(optimizer.name) \(parameter.name)")
        }
        digests.insert(try ToldRun(run, ranks: ranks).summary.weightsDigest)
      }
      #expect(digests.count == 1)
    }
  }

  @Test func patternsThatFitNothingOrAllAreRefused() throws {
    for (patterns, words) in [
      (["dense3*"], "frozen \"dense3*\" fits the name of no parameter; there are: convolution1.weights"),
      (["dense*", ""], "frozen \"\" fits"), (["*"], "nothing is left to learn"),
    ] as [([String], String)] {
      var run = try Self.run()
      run.recipe.frozen = patterns.map { Glob($0) }
      let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
      #expect(error?.code == .usage && error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func whatFitsIsTakenAndTheRestBeginsAsUsual() throws {
    let first = try Self.run()
    let path = try checkpoint(first)
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.initialWeights = path
    run.recipe.learningRate = 1e-30
    run.recipe.seed = 9
    let all = try ToldRun(run, ranks: 3)
    #expect(all.summary.weightsDigest == (try ToldRun(first, ranks: 1).summary.weightsDigest))
    #expect(all.description?.initialWeights?.text == "initialised from \(path): 6 of 6 parameters")

    // Five classes: the last layer has another shape.
    run.recipe.model = Self.model(5)
    run.recipe.loss = SoftmaxCrossEntropy(classes: 5)
    (run.training, run.test) = (try Subset(of: run.training, labels: 0...4), try Subset(of: run.test, labels: 0...4))
    run.recipe.globalBatch = 42
    let part = try ToldRun(run, ranks: 2)
    let weights = try #require(part.description?.initialWeights)
    #expect(weights.taken == ["convolution1.weights", "convolution1.bias", "dense1.weights", "dense1.bias"])
    #expect(
      weights.text == "initialised from \(path): 4 of 6 parameters; not dense2.weights of shape [5, 12], which is F32 "
        + "[10, 12] there; dense2.bias of shape [5], which is F32 [10] there"
        || weights.text.contains("dense2.weights of shape [12, 5], which is F32 [12, 10] there"), "\(weights.text)")
    let values = try Self.values(run)
    #expect(try values["convolution1.weights"] == Self.stored(path, "convolution1.weights"))
    #expect(try values["dense1.bias"] == Self.stored(path, "dense1.bias"))
    run.recipe.initialWeights = nil
    let usual = try Self.values(run)
    #expect(values["dense2.weights"] == usual["dense2.weights"] && values["dense1.weights"] != usual["dense1.weights"])
  }

  /// A file of another program's, without checksums, and with numbers of another kind.
  @Test func aPlainSafetensorsFileIsTaken() throws {
    let path = "\(scratch.path)/foreign.safetensors"
    let header =
      #"{"convolution1.bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"#
      + #""dense2.bias":{"dtype":"F16","shape":[10],"data_offsets":[16,36]}}"#
    let values = [1, 2, 3, 4] as [Float]
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    bytes += Array(header.utf8)
    for value in values {
      for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(byte)))) }
    }
    bytes += [UInt8](repeating: 0, count: 20)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.initialWeights = path
    run.recipe.learningRate = 1e-30
    let told = try ToldRun(run, ranks: 2)
    #expect(told.description?.initialWeights?.taken == ["convolution1.bias"])
    #expect(
      told.description?.initialWeights?.text.contains("dense2.bias of shape [10], which is F16 [10] there") == true)
    #expect(try Self.values(run)["convolution1.bias"] == values)
  }

  @Test func filesThatDoNotFitAreRefused() throws {
    let path = try checkpoint(Self.run())
    var run = try Self.run()
    run.options.directory = nil
    run.recipe.model = Model("other", input: [8, 8, 1]) {
      Flatten()
      Dense(10)
    }
    run.recipe.initialWeights = path
    // Both have a dense1, of other shapes.
    let stranger = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(stranger?.code == .badData, "\(stranger?.description ?? "")")
    #expect(stranger?.description.contains("has no parameter of the model, dense1.weights, dense1.bias") == true)
    run.recipe.initialWeights = "\(path).none"
    let missing = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
    #expect(missing?.code == .missingInput && missing?.description.contains(".none") == true)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: "\(path).cut"))
      run.recipe.initialWeights = "\(path).cut"
      let cut = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 2) }
      #expect(cut?.code == .badData && cut?.description.contains("\n") == false)
    }
  }

  /// The first weights are a part of the recipe, and a run goes on with its own.
  @Test func aRunGoesOnFromItsOwnCheckpoint() throws {
    let path = try checkpoint(Self.run())
    var run = try Self.run()
    run.recipe.initialWeights = path
    run.recipe.frozen = [Glob("convolution*")]
    run.recipe.seed = 3
    let whole = try ToldRun(run, ranks: 1).summary.weightsDigest
    run.startAnew()
    run.options.maxSteps = 7
    _ = try ToldRun(run, ranks: 3)
    run.options.maxSteps = nil
    let resumed = try ToldRun(run, ranks: 2)
    #expect(resumed.summary.weightsDigest == whole && resumed.description?.initialWeights == nil)
    run.recipe.initialWeights = nil
    let error = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(
      error?.code == .badData && error?.description.contains("init_from is ") == true, "\(error?.description ?? "")")
    run.recipe.initialWeights = path
    run.recipe.frozen = []
    let thawed = #expect(throws: TrainingError.self) { _ = try ToldRun(run, ranks: 1) }
    #expect(thawed?.description.contains("freeze is convolution* there and not given here") == true)
  }

  /// The digest in the recipe is of the weights taken, whatever their file calls them.
  @Test func aRunGoesOnWithTheSameWeightsUnderOtherNames() throws {
    let path = try checkpoint(Self.run())
    let foreign = "\(scratch.path)/exported.safetensors"
    let network = try Network(Self.model(), loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    _ = try InitialWeights(path: path, of: network, into: parameters)
    let weights = TrainedWeights(network: network, parameters: parameters, state: RunState(seed: 0))
    for framework in Framework.allCases {
      #expect(try weights.write(for: framework, safetensors: foreign) == 6)
      var run = try Self.run()
      run.recipe.initialWeights = path
      run.options.maxSteps = 7
      _ = try ToldRun(run, ranks: 2)
      run.options.maxSteps = nil
      run.recipe.initialWeights = foreign
      let resumed = try ToldRun(run, ranks: 1).summary.weightsDigest
      run.startAnew()
      let anew = try ToldRun(run, ranks: 3)
      #expect(anew.summary.weightsDigest == resumed)
      #expect(
        anew.description?.initialWeights?.text
          == "initialised from \(foreign): 6 of 6 parameters, by \(framework.possessive) names")
    }
  }

  /// Of PyTorch's weights for ten classes a model of five takes all but the last layer; and damage is seen.
  @Test func whatFitsOfForeignWeightsIsTaken() throws {
    let path = "\(scratch.path)/foreign.safetensors"
    let network = try Network(Self.model(), loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 4)
    let weights = TrainedWeights(network: network, parameters: parameters, state: RunState(seed: 0))
    _ = try weights.write(for: .pytorch, safetensors: path)
    let five = try Network(Self.model(5), loss: SoftmaxCrossEntropy(classes: 5), capacity: 1)
    let taken = Buffer<Float>(count: five.layout.count)
    #expect(
      try InitialWeights(path: path, of: five, into: taken).text == "initialised from \(path): 4 of 6 parameters, by "
        + "PyTorch's names; not dense2.weights of shape [5, 12], as 5.weight [5, 12], which is F32 [10, 12] there; "
        + "dense2.bias of shape [5], as 5.bias [5], which is F32 [10] there")
    for place in 0..<4 {
      #expect(taken[five.layout.ranges[place]].array == parameters[network.layout.ranges[place]].array)
    }

    // Other layers, so that no name fits, and layers of other sizes under the same names.
    for (model, words) in [
      (
        Model("other", input: [8, 8, 1]) {
          ReLU()
          Dense(10)
        }, "has no parameter of the model, dense1.weights, dense1.bias, with its shape; give another"
      ),
      (
        Model("wide", input: [8, 8, 1]) {
          Conv2D(filters: 5, kernel: 3)
          Flatten()
          ReLU()
          Dense(10)
        },
        "with its shape; by PyTorch's names it has not convolution1.weights of shape [3, 3, 1, 5], as 0.weight [5, 1, 3, 3]"
      ),
    ] {
      let other = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
      let error = #expect(throws: TrainingError.self) {
        _ = try InitialWeights(path: path, of: other, into: Buffer(count: other.layout.count))
      }
      #expect(error?.code == .badData && error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in stride(from: 0, to: bytes.count, by: bytes.count / 40) {
      var damaged = bytes
      damaged[place] ^= 0x10
      for content in [damaged, bytes.prefix(place)] {
        try content.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TrainingError.self, "byte \(place)") {
          _ = try InitialWeights(path: path, of: network, into: parameters)
        }
        #expect(error?.code == .badData && error?.description.contains("\n") == false)
      }
    }
  }
}
