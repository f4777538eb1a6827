import NeuralNetworks
import Tensors
import Testing

@Suite struct ModelTests {
  private let mnist: Shape = [28, 28, 1]

  @Test(arguments: [
    ("article", 10, 54_410), ("article", 1, 5_729), ("keras-convnet", 10, 34_826), ("pytorch-convnet", 10, 1_199_882),
    ("mlp", 10, 669_706), ("mlp", 1, 665_089), ("vgg", 10, 584_170),
    ("rnn", 10, 21_386), ("lstm", 10, 81_674), ("lstm", 1, 80_513), ("gru", 10, 61_578), ("vit", 10, 205_962),
    ("resnet", 10, 272_186), ("resnet", 1, 271_601),
    ("mlp:784-100-10", 10, 79_510), ("mlp:784-10", 10, 7_850),
  ])
  func parameterCounts(name: String, outputs: Int, count: Int) throws {
    let loss: any Loss = outputs == 1 ? SigmoidCrossEntropy(positive: 0) : SoftmaxCrossEntropy(classes: outputs)
    let network = try Network(Model.named(name, input: mnist, outputs: outputs), loss: loss, capacity: 1)
    #expect(network.layout.learntCount == count)
    #expect(network.model.name == name)
  }

  /// Models that predict pixels, of images as they are trained on and of others.
  @Test(
    arguments: [([14, 14, 1], 212_930), ([4, 6, 1], 212_930 - 172 * 64)],
    [([28, 28, 1], 76_513), ([3, 5, 1], 76_513)])
  func pixelModels(_ transformer: ([Int], Int), _ convolutions: ([Int], Int)) throws {
    let pixels = (transformer.0.reduce(1, *), convolutions.0.reduce(1, *))
    let gpt = try Network(
      Model.named("gpt", input: Shape(transformer.0), outputs: 2 * pixels.0),
      loss: PixelSoftmaxCrossEntropy(pixels: pixels.0), capacity: 1)
    #expect(gpt.layout.learntCount == transformer.1)
    let wavenet = try Network(
      Model.named("wavenet", input: Shape(convolutions.0), outputs: pixels.1),
      loss: PixelSigmoidCrossEntropy(pixels: pixels.1), capacity: 1)
    #expect(wavenet.layout.learntCount == convolutions.1)
    for network in [gpt, wavenet] {
      var (shape, count) = (network.model.input, 0.0)
      for layer in network.model.layers {
        count += layer.learntCount(for: shape)
        shape = try layer.outputShape(for: shape)
      }
      #expect(count == Double(network.layout.learntCount), "counted before memory is taken")
    }
    #expect(
      gpt.layout.parameters.prefix(3).map(\.name) == [
        "embedding1.vectors", "positions1.positions", "block1.residual1.layernorm1.scale",
      ])
    #expect(
      wavenet.layout.parameters.prefix(9).map(\.name) == [
        "tokendense1.weights", "tokendense1.bias", "gatedstack1.unit1.gateWeights", "gatedstack1.unit1.gateBias",
        "gatedstack1.unit1.skipWeights", "gatedstack1.unit1.skipBias", "gatedstack1.unit1.residualWeights",
        "gatedstack1.unit1.residualBias", "gatedstack1.unit2.gateWeights",
      ])
    #expect(!wavenet.layout.parameters.contains { $0.name == "gatedstack1.unit10.residualWeights" })
  }

  /// Its trunk is `vit`'s, parameter for parameter.
  @Test(arguments: [([28, 28, 2], 206_368), ([8, 12, 2], 206_368 - 43 * 64)])
  func bertHasTheTrunkOfViT(input: [Int], count: Int) throws {
    let loss = try HiddenPatchError(input: Shape(input))
    let bert = try Network(
      Model.named("bert", input: Shape(input), outputs: loss.outputs), loss: loss, capacity: 1)
    #expect(bert.layout.learntCount == count && bert.model.pixelTask == PixelTask(.hidden))
    #expect(Block(bert.model.layers).learntCount(for: Shape(input)) == Double(count), "counted before memory is taken")
    let vit = try Network(
      Model.named("vit", input: [input[0], input[1], 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10),
      capacity: 1)
    func trunk(_ network: Network) -> [String] {
      network.layout.parameters.map { "\($0.name) \($0.shape) \($0.role)" }
    }
    let (first, last) = (trunk(bert), trunk(vit))
    #expect(first.dropFirst().dropLast(2) == last.dropLast(2))
    #expect(
      bert.layout.parameters.map(\.name).filter { name in !vit.layout.parameters.contains { $0.name == name } } == [
        "maskedpatches1.patch", "tokendense2.weights", "tokendense2.bias",
      ])
  }

  /// The values of hidden pixels change nothing.
  @Test func bertSeesWhatIsNotHidden() throws {
    let loss = try HiddenPatchError(input: [8, 8, 2])
    let network = try Network(Model.named("bert", input: [8, 8, 2], outputs: 64), loss: loss, capacity: 1)
    let parameters = noise(network.layout.count, seed: 4)
    let image = hiding(noise(128, seed: 5))
    func output() -> [Float] {
      network.outputs(
        Examples(samples: 1, inputs: image, labels: Buffer(count: 0), values: image), parameters: parameters
      ).array
    }
    let before = output()
    for pixel in 0..<64 where image[2 * pixel + 1] != 0 { image[2 * pixel] = 7 }
    #expect(output() == before)
    let visible = try #require((0..<64).first { image[2 * $0 + 1] == 0 })
    image[2 * visible] = 7
    #expect(output() != before)
  }

  @Test func pixelModelsPredictPixels() throws {
    let gpt = try Model.named("gpt", input: [14, 14, 1], outputs: 10)
    #expect(throws: ModelError("model gpt gives 392 outputs, but the task needs 10")) {
      try Network(gpt, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    }
    #expect(throws: ModelError("model gpt gives outputs of shape [196, 2], but the task needs [392]")) {
      try Network(gpt, loss: PixelSigmoidCrossEntropy(pixels: 392), capacity: 1)
    }
    #expect(throws: ModelError("an embedding cannot take input of shape [3, 2]: it takes [positions]")) {
      try Embedding(tokens: 3, width: 4).outputShape(for: [3, 2])
    }
    #expect(throws: ModelError("a gated stack cannot take input of shape [6]: it takes [tokens, width]")) {
      try GatedStack(skip: 3, dilations: [1]).outputShape(for: [6])
    }
    #expect(throws: ModelError("a shift cannot take input of shape [0, 2]: it takes [positions, …]")) {
      try Shift(start: 0).outputShape(for: [0, 2])
    }
  }

  /// No output sees its own pixel, or a later one.
  @Test(arguments: ["gpt", "wavenet"])
  func pixelModelsSeeWhatIsBefore(_ name: String) throws {
    let pixels = 20
    let loss: any Loss =
      name == "gpt" ? PixelSoftmaxCrossEntropy(pixels: pixels) : PixelSigmoidCrossEntropy(pixels: pixels)
    let network = try Network(Model.named(name, input: [4, 5, 1], outputs: loss.outputs), loss: loss, capacity: 1)
    let parameters = noise(network.layout.count, seed: 4)
    for k in 0..<parameters.count { parameters[k] *= 0.3 }
    let image = Buffer<Float>((0..<pixels).map { Float($0 * $0 % 7 % 2) })
    func output() -> [Float] {
      network.outputs(
        Examples(samples: 1, inputs: image, labels: Buffer(count: 0), values: image), parameters: parameters
      ).array
    }
    let before = output()
    let width = loss.outputs / pixels
    for changed in [0, 7, 19] {
      image[changed] = 1 - image[changed]
      let after = output()
      image[changed] = 1 - image[changed]
      let seen = (changed + 1) * width
      #expect(after.prefix(seen) == before.prefix(seen), "pixel \(changed)")
      #expect(changed == 19 || after[seen..<seen + width] != before[seen..<seen + width], "pixel \(changed)")
    }
  }

  @Test func perceptronOfAnySizes() throws {
    let network = try Network(
      Model.named("mlp:10-5-1", input: [10], outputs: 1), loss: SigmoidCrossEntropy(positive: 1), capacity: 4)
    #expect(network.layout.parameters.map(\.shape) == [[5, 10], [5], [1, 5], [1]])
    #expect(
      network.layout.parameters.map(\.name) == ["dense1.weights", "dense1.bias", "dense2.weights", "dense2.bias"])
    #expect(network.layout.learntCount == 61)
  }

  /// The largest microbatch of a recipe that names none, through containers as well.
  @Test(arguments: [
    ("article", 32), ("mlp", 32), ("keras-convnet", 32), ("pytorch-convnet", 32), ("vgg", 32), ("resnet", 32),
    ("rnn", 32), ("lstm", 8), ("gru", 8), ("vit", 4), ("gpt", 2), ("wavenet", 2), ("bert", 4),
  ])
  func usualMicrobatches(_ name: String, samples: Int) throws {
    let outputs = ["gpt": 2 * 784, "wavenet": 784, "bert": 784][name] ?? 10
    let model = try Model.named(name, input: mnist, outputs: outputs)
    #expect(model.usualMicrobatch == samples)
    // As the body of a block, and as its shortcut.
    let plain = Dense(10)
    for layers: [any LayerSpecification] in [
      [Residual([Block(model.layers)])], [Residual([plain], shortcut: [Block(model.layers)])],
    ] { #expect(Model(name: "mine", input: mnist, layers: layers).usualMicrobatch == samples) }
  }

  private func expectError(_ name: String, input: Shape = [28, 28, 1], outputs: Int = 10, _ line: String) {
    let error = #expect(throws: ModelError.self) { try Model.named(name, input: input, outputs: outputs) }
    #expect(error?.description == line)
  }

  @Test func unknownNames() {
    let names =
      "article, mlp, keras-convnet, pytorch-convnet, vgg, rnn, lstm, gru, vit, resnet, gpt, wavenet, bert, mlp:A-B-…-Z"
    for name in ["resnet-1000", "", "Article"] {
      expectError(name, "unknown model '\(name)'; there are: \(names)")
    }
  }

  @Test(arguments: [
    "mlp:", "mlp:784", "mlp:784-", "mlp:-10", "mlp:784--10", "mlp:784-0-10", "mlp:784-x-10", "mlp:784-1.5-10",
    "mlp:784 -10", "mlp:784-1000001-10", "mlp:784-9223372036854775808-10",
  ])
  func badSpellings(name: String) {
    expectError(
      name, "model \(name) is not of the form mlp:A-B-…-Z with two sizes or more, each 1 to 1,000,000")
  }

  @Test func sizesThatDoNotFit() {
    expectError("mlp:783-10", "model mlp:783-10 takes 783 inputs, but a sample of the data has 784")
    expectError("mlp:784-9", "model mlp:784-9 gives 9 outputs, but the task needs 10")
    expectError("mlp:784-10", outputs: 1, "model mlp:784-10 gives 10 outputs, but the task needs 1")
  }

  /// Each size is possible, but not the network: 4 TB a copy. Refused before anything is allocated.
  @Test func networksThatNoMachineHolds() {
    expectError(
      "mlp:784-1000000-1000000-10",
      "model mlp:784-1000000-1000000-10 has 1000796000010 parameters; the most is 1,000,000,000")
    #expect(throws: Never.self) { try Model.named("mlp:784-1000000-10", input: mnist, outputs: 10) }
  }

  @Test func modelsThatDoNotFitTheData() throws {
    let article = try Model.named("article", input: [2, 2, 1], outputs: 10)
    #expect(throws: ModelError("a 3×3 convolution cannot take input of shape [2, 2, 1]")) {
      try Network(article, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    }
    let narrow = try Model.named("article", input: [3, 9, 1], outputs: 10)
    #expect(throws: ModelError("a 2×2 max-pooling cannot take input of shape [1, 7, 32]")) {
      try Network(narrow, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    }
    let flat = try Model.named("article", input: [784], outputs: 10)
    #expect(throws: ModelError("a 3×3 convolution cannot take input of shape [784]")) {
      try Network(flat, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    }
    let ten = try Model.named("mlp", input: mnist, outputs: 10)
    #expect(throws: ModelError("model mlp gives 10 outputs, but the task needs 1")) {
      try Network(ten, loss: SigmoidCrossEntropy(positive: 0), capacity: 1)
    }
  }

  /// The rows are the steps, whatever is in them.
  @Test(arguments: [([28, 28, 1], 28), ([10, 7, 3], 21), ([9, 5], 5)])
  func recurrentModelsReadRows(input: [Int], features: Int) throws {
    for (name, gates) in [("rnn", 1), ("lstm", 4), ("gru", 3)] {
      let network = try Network(
        Model.named(name, input: Shape(input), outputs: 6), loss: SoftmaxCrossEntropy(classes: 6), capacity: 2)
      let rows = gates * 128
      #expect(network.layout.parameters.map(\.shape) == [[rows, features], [rows, 128], [rows], [6, 128], [6]])
      let names = ["\(name)1.weights", "\(name)1.recurrent", "\(name)1.bias", "dense1.weights", "dense1.bias"]
      #expect(network.layout.parameters.map(\.name) == names)
      // The projection of all steps, the recurrent products of all but the first, and the last layer.
      let operations = 2 * rows * (2 * input[0] * features + 3 * (input[0] - 1) * 128) + 3 * 2 * 128 * 6
      #expect(network.trainingOperations == operations)
    }
  }

  @Test func recurrentLayersWantSteps() throws {
    for (name, article) in [("rnn", "an RNN"), ("lstm", "an LSTM"), ("gru", "a GRU")] {
      let flat = try Model.named(name, input: [784], outputs: 10)
      #expect(throws: ModelError("\(article) cannot take input of shape [784]: it takes [steps, features]")) {
        try Network(flat, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
      }
    }
    #expect(throws: ModelError("an LSTM cannot take input of shape [28, 28, 1]: it takes [steps, features]")) {
      try LSTM(4).outputShape(for: [28, 28, 1])
    }
  }

  /// Other images have other patches, and as many positions.
  @Test(arguments: [([28, 28, 1], 49, 16), ([8, 12, 3], 6, 48)])
  func transformerReadsPatches(input: [Int], patches: Int, width: Int) throws {
    let network = try Network(
      Model.named("vit", input: Shape(input), outputs: 6), loss: SoftmaxCrossEntropy(classes: 6), capacity: 2)
    let parameters = network.layout.parameters
    #expect(
      parameters.prefix(8).map(\.name) == [
        "tokendense1.weights", "tokendense1.bias", "classtoken1.token", "positions1.positions",
        "block1.residual1.layernorm1.scale", "block1.residual1.layernorm1.shift",
        "block1.residual1.attention1.inputWeights", "block1.residual1.attention1.inputBias",
      ])
    #expect(parameters.prefix(4).map(\.shape) == [[64, width], [64], [64], [patches + 1, 64]])
    #expect(
      parameters.suffix(8).map(\.name) == [
        "block6.residual2.tokendense1.weights", "block6.residual2.tokendense1.bias",
        "block6.residual2.tokendense2.weights", "block6.residual2.tokendense2.bias", "layernorm1.scale",
        "layernorm1.shift", "dense1.weights", "dense1.bias",
      ])
    // In a block the projections and dense layers, and two products of all pairs of tokens; the first layer has no input gradient.
    let tokens = patches + 1
    let block = 3 * 2 * tokens * 64 * (4 * 64 + 2 * 128) + 3 * 2 * 2 * tokens * tokens * 64
    #expect(network.trainingOperations == 2 * 2 * patches * width * 64 + 6 * block + 3 * 2 * 64 * 6)
  }

  /// Any image will do, and each stage halves it, rounded up.
  @Test(arguments: [([28, 28, 1], [28, 14, 7]), ([9, 11, 3], [9, 5, 3])])
  func resnetHalvesItsImages(input: [Int], heights: [Int]) throws {
    let network = try Network(
      Model.named("resnet", input: Shape(input), outputs: 6), loss: SoftmaxCrossEntropy(classes: 6), capacity: 2)
    let parameters = network.layout.parameters
    #expect(
      parameters.prefix(6).map(\.name) == [
        "convolution1.weights", "batchnorm1.scale", "batchnorm1.shift", "batchnorm1.mean", "batchnorm1.variance",
        "residual1.convolution1.weights",
      ])
    #expect(
      parameters.suffix(8).map(\.name) == [
        "residual9.batchnorm1.variance", "residual9.convolution2.weights", "residual9.batchnorm2.scale",
        "residual9.batchnorm2.shift", "residual9.batchnorm2.mean", "residual9.batchnorm2.variance", "dense1.weights",
        "dense1.bias",
      ])
    let projections = parameters.filter { $0.name.contains("shortcut.convolution1.weights") }
    #expect(projections.map(\.shape) == [[1, 1, 16, 32], [1, 1, 32, 64]])
    #expect(parameters.count { $0.role == .average } == 2 * 21)
    #expect(
      network.stages.filter { $0.name.hasPrefix("residual") }.map { $0.output[0] } == heights.flatMap { [$0, $0, $0] })
  }

  @Test func layersOfResNetsSayWhatTheyTake() {
    #expect(
      throws: ModelError(
        "a global average pooling cannot take input of shape [7]: it takes [height, width, channels]")
    ) { try GlobalAveragePool2D().outputShape(for: [7]) }
    #expect(throws: ModelError("a batch normalisation cannot take input of shape []: it takes […, channels]")) {
      try BatchNorm().outputShape(for: [])
    }
    #expect(throws: ModelError("a 3×3 convolution cannot take input of shape [2, 5, 1]")) {
      try Conv2D(filters: 1, kernel: 3, stride: 2).outputShape(for: [2, 5, 1])
    }
  }

  /// A checkpoint holds them: what was there before strides stays as it was.
  @Test func convolutionsSayAllThatTheyCompute() {
    #expect(
      "\(Conv2D(filters: 8, kernel: 3))"
        == "Conv2D(filters: 8, kernel: 3, padding: NeuralNetworks.Conv2D.Padding.valid)")
    #expect(
      "\(Conv2D(filters: 8, kernel: 3, padding: .same, stride: 2, bias: false))"
        == "Conv2D(filters: 8, kernel: 3, padding: NeuralNetworks.Conv2D.Padding.same, stride: 2, bias: false)")
  }

  /// What is counted before memory is taken is what there is.
  @Test func countsAreKnownBefore() throws {
    let model = try Model.named("vit", input: mnist, outputs: 10)
    var (shape, count) = (mnist, 0.0)
    for layer in model.layers {
      count += layer.learntCount(for: shape)
      shape = try layer.outputShape(for: shape)
    }
    #expect(count == 205_962)
    #expect(Residual([Dense(5)], shortcut: [Dense(5)]).learntCount(for: [3]) == 40)
    // A unit that looks further back than there are steps has one tap alone: 2 · 3 · 6 products, and 2 · 3 · 4 behind them.
    let far = GatedStack(skip: 4, dilations: [7])
    #expect(far.trainingOperations(for: [2, 3], needsInputGradient: true) == 2 * 3 * (36 + 24))
    #expect(Conv2D(filters: 4, kernel: 3, stride: 2, bias: false).learntCount(for: [9, 9, 2]) == 72)
    let resnet = try Model.named("resnet", input: mnist, outputs: 10)
    #expect(Block(resnet.layers).learntCount(for: mnist) == 272_186)
  }

  @Test func transformersWantImagesOfWholePatches() throws {
    for input in [[784], [27, 28, 1], [28, 30, 1]] as [Shape] {
      let model = try Model.named("vit", input: input, outputs: 10)
      #expect(throws: ModelError("input of shape \(input) cannot be cut into patches of 4×4")) {
        try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
      }
    }
  }

  @Test func layersOverTokensSayWhatTheyTake() {
    let layers: [(String, any LayerSpecification)] = [
      ("a dense layer over tokens", TokenDense(4)), ("attention", MultiHeadAttention(heads: 2)),
      ("a class token", ClassToken()), ("a layer of positions", Positions()), ("the choice of a token", Token(0)),
      ("the choice of tokens", Tokens(from: 1)),
    ]
    for (name, layer) in layers {
      #expect(throws: ModelError("\(name) cannot take input of shape [6]: it takes [tokens, width]")) {
        try layer.outputShape(for: [6])
      }
    }
    #expect(throws: ModelError("attention of 4 heads cannot take input of shape [5, 6]: they do not divide its width"))
    {
      try MultiHeadAttention(heads: 4).outputShape(for: [5, 6])
    }
    #expect(throws: ModelError("there is no token 5 in input of shape [5, 6]")) {
      try Token(5).outputShape(for: [5, 6])
    }
    #expect(throws: ModelError("there is no token 5 in input of shape [5, 6]")) {
      try Tokens(from: 5).outputShape(for: [5, 6])
    }
    for input in [[8, 8, 1], [8, 8], [6, 8, 2]] as [Shape] {
      #expect(
        throws: ModelError(
          "masked patches of 4×4 cannot take input of shape \(input): they take [height, width, 2] of whole patches, a pixel and whether "
            + "it is hidden")
      ) { try MaskedPatches(4).outputShape(for: input) }
    }
    #expect(throws: ModelError("a residual block of [4, 3, 3] beside a shortcut of [4, 3, 2]")) {
      try Residual([Conv2D(filters: 3, kernel: 1)]).outputShape(for: [4, 3, 2])
    }
  }

  @Test func reshapesKeepTheCount() {
    #expect(throws: ModelError("a reshape to [4, 5] cannot take input of shape [3, 7]")) {
      try Reshape([4, 5]).outputShape(for: [3, 7])
    }
  }

  /// An even kernel has no middle, so that no padding on both sides keeps the size; unless a stride leaves out what is missing.
  @Test func sameConvolutionsAreOdd() throws {
    for (kernel, stride, side) in [(2, 1, 5), (8, 1, 28), (4, 2, 5), (2, 3, 4), (2, 2, 1), (8, 7, 1)] {
      let shape: Shape = [side, side, 1]
      let error = ModelError(
        "a 'same' convolution needs an odd kernel, not \(kernel)×\(kernel), for input of shape \(shape) and stride \(stride)"
      )
      #expect(throws: error) {
        try Conv2D(filters: 3, kernel: kernel, padding: .same, stride: stride).outputShape(for: shape)
      }
    }
    for (kernel, stride, side, output) in [(8, 2, 28, 14), (4, 2, 6, 3), (2, 3, 5, 2), (4, 4, 2, 1)] {
      let layer = Conv2D(filters: 3, kernel: kernel, padding: .same, stride: stride)
      #expect(try layer.outputShape(for: [side, side, 1]) == [output, output, 3])
    }
  }
}
