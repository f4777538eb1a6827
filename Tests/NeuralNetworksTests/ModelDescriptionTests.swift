import NeuralNetworks
import Tensors
import Testing

/// Models as files: what is written is read back as the same net, and whatever is wrong is said with its place.
@Suite struct ModelDescriptionTests {
  private static let mnist: Shape = [28, 28, 1]
  private static let names = Model.names.map { $0.hasPrefix("mlp:") ? "mlp:784-30-10" : $0 }

  private static func model(
    _ text: String, input: Shape = mnist, outputs: Int = 10, layers: LayerTable = .builtIn
  ) throws -> Model {
    try ModelDescription(Array(text.utf8)).model(input: input, outputs: outputs, layers: layers)
  }

  private static func layers(_ text: String, input: Shape = mnist) throws -> Model {
    try model(#"{"name": "net", "layers": [\#(text)]}"#, input: input)
  }

  // MARK: What is written is read back

  @Test(arguments: names)
  func builtInNetsAreReadBack(_ name: String) throws {
    let input = Self.input(of: name)
    let named = try Model.named(name, input: input, outputs: 10)
    let description = try ModelDescription(outputs: 10) { try Model.named(name, input: input, outputs: $0) }
    let read = try Self.model(description.text, input: input)
    #expect(read.name == name && read.isDescribed && !read.isNamed)
    #expect(read.pixelTask == named.pixelTask && read.pixelTask == PixelTask(modelNamed: name))
    func inSwift(_ model: Model) -> String { model.layers.map { "\($0)" }.joined(separator: ", ") }
    #expect(inSwift(read) == inSwift(named))
    // The lists of names and shapes, and the places of noise, follow from the layers alone.
    let layouts = try [named, read].map { try Network($0, loss: Self.loss(of: name), capacity: 2).layout.parameters }
    #expect(layouts[0].map(\.name) == layouts[1].map(\.name))
    #expect(layouts[0].map(\.shape) == layouts[1].map(\.shape))
    // Written again, it is the same text, in the file and in a checkpoint.
    #expect(
      try ModelDescription(outputs: 10) { try Self.model(description.text, input: input, outputs: $0) } == description)
    let line = try ModelDescription(of: read)
    #expect(try ModelDescription(name: name, layersText: read.layersText).layers == line.layers)
    #expect(try ModelDescription(of: named) == line && !line.layersText.contains("\n"))
  }

  /// An image as a net takes it.
  private static func input(of name: String) -> Shape { name == "bert" ? [28, 28, 2] : mnist }

  /// What a net's outputs are compared by.
  private static func loss(of name: String) throws -> any Loss {
    switch name {
    case "gpt": PixelSoftmaxCrossEntropy(pixels: mnist.count)
    case "wavenet": PixelSigmoidCrossEntropy(pixels: mnist.count)
    case "bert": try HiddenPatchError(input: input(of: name))
    default: SoftmaxCrossEntropy(classes: 10)
    }
  }

  /// A net is printed for any number of outputs, but for one whose name says them, or which predicts its input.
  @Test(arguments: names)
  func outputsAreNamed(_ name: String) throws {
    let input = Self.input(of: name)
    let description = try ModelDescription(outputs: 10) { try Model.named(name, input: input, outputs: $0) }
    let isFree = !name.hasPrefix("mlp:") && PixelTask(modelNamed: name) == nil
    #expect(description.text.contains("\"outputs\"") == isFree)
    guard isFree else { return }
    let three = try description.model(input: Self.mnist, outputs: 3)
    let named = try Model.named(name, input: Self.mnist, outputs: 3)
    #expect(three.layersText == (try ModelDescription(of: named)).layersText)
  }

  @Test func textOfANet() throws {
    let model = Model("mine", input: Self.mnist) {
      Conv2D(filters: 8, kernel: 3, padding: .same)
      for _ in 0..<3 { Residual([Conv2D(filters: 8, kernel: 1), SiLU()]) }
      Residual([Conv2D(filters: 4, kernel: 1)], shortcut: [Conv2D(filters: 4, kernel: 1)])
      Flatten()
      Dropout(0.1)
      Dense(10)
    }
    let text = """
      {"name": "mine", "layers": [
        {"type": "Conv2D", "filters": 8, "kernel": 3, "padding": "same"},
        {"repeat": 3, "layers": [
          {"type": "Residual", "body": [
            {"type": "Conv2D", "filters": 8, "kernel": 1},
            {"type": "SiLU"}
          ]}
        ]},
        {"type": "Residual", "body": [
          {"type": "Conv2D", "filters": 4, "kernel": 1}
        ], "shortcut": [
          {"type": "Conv2D", "filters": 4, "kernel": 1}
        ]},
        {"type": "Flatten"},
        {"type": "Dropout", "probability": 0.1},
        {"type": "Dense", "units": 10}
      ]}
      """
    #expect(try ModelDescription(of: model).text == text)
    let read = try Self.model(text)
    #expect(read.layers.map { "\($0)" } == model.layers.map { "\($0)" })
  }

  /// Every layer of the table, with each property that it has at another value than usual.
  @Test func everyLayerIsReadBack() throws {
    let cases: [(any DescribedLayer, Shape)] = [
      (BatchNorm(), [4]), (Block([ReLU(), Dense(3)]), [4]), (ClassToken(), [3, 4]),
      (Conv2D(filters: 2, kernel: 3, stride: 2, bias: false), [6, 6, 1]), (Embedding(tokens: 3, width: 5), [4]),
      (GatedStack(skip: 3, dilations: [1, 2, 4, 8, 16, 32, 64, 128, 256]), [2, 4]), (GlobalAveragePool2D(), [2, 3, 4]),
      (Shift(start: -2.5), [3]),
      (Conv2D(filters: 2, kernel: 5, padding: .same), [6, 6, 1]), (Conv2D(filters: 2, kernel: 2), [6, 6, 1]),
      (Dense(7), [4]), (Dropout(0), [4]), (Dropout(0.3333333), [4]), (Flatten(), [2, 2, 1]), (GELU(), [4]),
      (GRU(3), [2, 4]), (LSTM(3), [2, 4]), (LayerNorm(), [4]), (MaskedPatches(3), [6, 6, 2]),
      (MaxPool2D(3), [6, 6, 1]), (MaxPool2D(3, stride: 1), [6, 6, 1]),
      (MultiHeadAttention(heads: 2, causal: true), [3, 4]), (MultiHeadAttention(heads: 4), [3, 4]),
      (Patches(2), [4, 4, 1]), (Positions(), [3, 4]), (RNN(3), [2, 4]), (ReLU(), [4]), (Reshape([2, 1, 2]), [4]),
      (Residual([Dense(3)], shortcut: [Dense(3)]), [4]), (Residual([TokenDense(4)]), [3, 4]), (SiLU(), [4]),
      (Sigmoid(), [4]), (Tanh(), [4]), (Token(2), [3, 4]), (TokenDense(5), [3, 4]),
      (Tokens(from: 2), [3, 4]),
    ]
    for (layer, input) in cases {
      // A net of renaming layers alone computes nothing.
      let model = Model(name: "net", input: input, layers: [layer, ReLU()])
      let description = try ModelDescription(of: model)
      let read = try Self.model(description.text, input: input)
      #expect(read.layers.map { "\($0)" } == model.layers.map { "\($0)" }, "\(description.text)")
    }
    let tested = Set(cases.map { type(of: $0.0).typeName })
    #expect(LayerTable.builtIn.names.filter { !tested.contains($0) } == [], "layers without a case here")
  }

  @Test func propertiesCanBeLeftOutAndOrderIsOfNoAccount() throws {
    let one = try Self.layers(#"{"kernel": 3, "padding": "valid", "type": "Conv2D", "filters": 4}"#)
    let other = try Self.layers(#"{ "type":"Conv2D","filters":4,"kernel":3 }"#)
    #expect(one.layersText == other.layersText)
    #expect(one.layersText == #"[{"type": "Conv2D", "filters": 4, "kernel": 3}]"#)
  }

  /// Repeats are written out into the list that they stand in, so that names are as without them; blocks stay blocks.
  @Test func repeatsAreFlat() throws {
    let model = try Self.layers(
      """
      {"type": "Flatten"},
      {"repeat": 2, "layers": [{"repeat": 2, "layers": [{"type": "Dense", "units": 5}]}, {"type": "ReLU"}]},
      {"type": "Block", "layers": [{"type": "Dense", "units": "outputs"}]}
      """)
    #expect(model.layers.count == 8)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    #expect(
      network.layout.parameters.map(\.name).filter { $0.hasSuffix("weights") } == [
        "dense1.weights", "dense2.weights", "dense3.weights", "dense4.weights", "block1.dense1.weights",
      ])
  }

  /// A net that predicts pixels says so; the usual pooling is left out.
  @Test func tasksAreReadBack() throws {
    for (task, words) in [
      (PixelTask(.softmax, pooling: 2), #""task": "pixels:softmax", "pooling": 2, "#),
      (PixelTask(.sigmoid), #""task": "pixels:sigmoid", "#), (PixelTask(.hidden), #""task": "pixels:hidden", "#),
    ] {
      let text = "{\"name\": \"net\", \(words)\"layers\": [\n  {\"type\": \"ReLU\"}\n]}"
      let description = try ModelDescription(Array(text.utf8))
      #expect(description.task == task && description.text == text)
      let model = try description.model(input: [4], outputs: 4)
      let described = try ModelDescription(of: model)
      #expect(model.pixelTask == task && described == description)
    }
    #expect(
      try Self.model(#"{"name": "a", "task": "pixels:hidden", "pooling": 1, "layers": [{"type": "ReLU"}]}"#).pixelTask
        == PixelTask(.hidden))
    #expect(try Self.layers(#"{"type": "ReLU"}"#).pixelTask == nil)
    #expect(PixelTask(.softmax, pooling: 2).inputShape(for: [28, 20, 3]) == [14, 10, 3])
    #expect(PixelTask(.hidden).inputShape(for: [28, 20, 1]) == [28, 20, 2])
  }

  private struct Twice: DescribedLayer, ElementwiseSpecification {
    var kind: String { "twice" }
    init() {}
    init(from reader: inout LayerReader) { self.init() }
    static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) {
      for index in 0..<input.count { output[index] = 2 * input[index] }
    }
    static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
      forward(windows.outputGradient, into: inputGradient)
    }
  }

  @Test func layersOfOnesOwnAreRegistered() throws {
    let text = #"{"name": "net", "layers": [{"type": "Twice"}]}"#
    let model = try Self.model(text, layers: .builtIn.adding([Twice.self]))
    #expect(model.layers.first is Twice && model.layersText == #"[{"type": "Twice"}]"#)
    #expect(throws: ModelDescriptionError.self) { try Self.model(text) }
    let undescribed = Model(name: "net", input: [4], layers: [Undescribed()])
    #expect(throws: ModelError("a layer of type Undescribed has no description; let it be a DescribedLayer")) {
      try ModelDescription(of: undescribed)
    }
  }

  private struct Undescribed: RenamingSpecification {
    var kind: String { "undescribed" }
    func outputShape(for input: Shape) throws -> Shape { input }
  }

  // MARK: What is wrong is said with its place

  @Test(
    arguments: [
      (#"{}"#, "name: is missing; give the model a name"),
      (#"[]"#, #"is a list; give an object with "name" and "layers""#),
      (#"{"name": "a b", "layers": []}"#, #"name: is "a b"; give 1 to 100 letters, digits, or any of . : _ -"#),
      (#"{"name": "", "layers": []}"#, #"name: is ""; give 1 to 100 letters, digits, or any of . : _ -"#),
      (#"{"name": 1, "layers": []}"#, #"name: is 1; give 1 to 100 letters, digits, or any of . : _ -"#),
      (#"{"name": "a"}"#, "layers: is missing; give a list of layers"),
      (#"{"name": "a", "layers": {}}"#, "layers: is an object; give a list of layers"),
      (#"{"name": "a", "layers": []}"#, "layers: is empty; give one layer or more"),
      (
        #"{"name": "a", "layers": [1], "loss": 2}"#, #""loss" is nothing that a model has: name, task, pooling, layers"#
      ),
      (
        #"{"name": "a", "task": "classify", "layers": []}"#,
        #"task: is "classify"; give \#(tasks), or leave it out for one that follows from the data"#
      ),
      (
        #"{"name": "a", "task": 1, "layers": []}"#,
        #"task: is 1; give \#(tasks), or leave it out for one that follows from the data"#
      ),
      (#"{"name": "a", "pooling": 2, "layers": []}"#, "pooling: needs a task; give \(tasks)"),
      (
        #"{"name": "a", "task": "pixels:softmax", "pooling": 0, "layers": []}"#,
        "pooling: is 0; give an integer from 1 to 1000"
      ),
      (
        #"{"name": "a", "task": "pixels:sigmoid", "pooling": "2", "layers": []}"#,
        #"pooling: is "2"; give an integer from 1 to 1000"#
      ),
      (
        #"{"name": "a", "task": "pixels:hidden", "pooling": 2, "layers": []}"#,
        #"pooling: is 2; give none with task "pixels:hidden""#
      ),
      (#"{"name": "a", "name": "b"}"#, #"is no JSON: line 1, column 15: the key "name" is there twice"#),
      ("{\"name\": \"a\",\n}", #"is no JSON: line 2, column 1: expected ""#),
    ] as [(String, String)])
  func malformedModels(_ text: String, _ line: String) {
    let error = #expect(throws: ModelDescriptionError.self) { try Self.model(text) }
    #expect(error?.description == line)
  }

  private static let tasks = #""pixels:softmax" or "pixels:sigmoid" or "pixels:hidden""#
  private static let sizes = "give an integer from 1 to 1000000, or \"outputs\""

  @Test(
    arguments: [
      (#"1"#, #"layers[0]: is 1; give a layer, such as {"type": "ReLU"}"#),
      (#"{}"#, #"layers[0].type: is missing; give the layer's type, such as "Conv2D""#),
      (
        #"{"type": "ReLU"}, {"type": 3}"#,
        "layers[1].type: is 3; there are: \(LayerTable.builtIn.names.joined(separator: ", "))"
      ),
      (
        #"{"type": "relu"}"#,
        "layers[0].type: is \"relu\"; there are: \(LayerTable.builtIn.names.joined(separator: ", "))"
      ),
      (#"{"type": "ReLU", "slope": 1}"#, #"layers[0]: "slope" is nothing that ReLU has: type"#),
      (
        #"{"type": "Conv2D", "filters": 4, "kernel": 3, "strides": 2}"#,
        #"layers[0]: "strides" is nothing that Conv2D has: type, filters, kernel, padding, stride, bias"#
      ),
      (#"{"type": "Dense"}"#, "layers[0].units: is missing; \(sizes)"),
      (#"{"type": "Dense", "units": 0}"#, "layers[0].units: is 0; \(sizes)"),
      (#"{"type": "Dense", "units": -1}"#, "layers[0].units: is -1; \(sizes)"),
      (#"{"type": "Dense", "units": 1000001}"#, "layers[0].units: is 1000001; \(sizes)"),
      (#"{"type": "Dense", "units": 1000000000000000000}"#, "layers[0].units: is 1000000000000000000; \(sizes)"),
      (#"{"type": "Dense", "units": 99999999999999999999}"#, "layers[0].units: is 99999999999999999999; \(sizes)"),
      (#"{"type": "Dense", "units": 10.0}"#, "layers[0].units: is 10.0; \(sizes)"),
      (#"{"type": "Dense", "units": "10"}"#, "layers[0].units: is \"10\"; \(sizes)"),
      (#"{"type": "Dense", "units": null}"#, "layers[0].units: is null; \(sizes)"),
      (
        #"{"type": "MaxPool2D", "size": "outputs"}"#,
        #"layers[0].size: is "outputs"; give an integer from 1 to 1000000"#
      ),
      (
        #"{"type": "Conv2D", "filters": 4, "kernel": 1001}"#,
        "layers[0].kernel: is 1001; give an integer from 1 to 1000"
      ),
      (
        #"{"type": "Conv2D", "filters": 4, "kernel": 3, "padding": "full"}"#,
        #"layers[0].padding: is "full"; give "valid" or "same""#
      ),
      (
        #"{"type": "Dropout", "probability": 1}"#,
        "layers[0].probability: is 1; give a number that is at least 0 and less than 1"
      ),
      (
        #"{"type": "Dropout", "probability": 1e999}"#,
        "layers[0].probability: is 1e999; give a number that is at least 0 and less than 1"
      ),
      (
        #"{"type": "Reshape", "shape": [28, 0]}"#,
        "layers[0].shape: is a list; give 1 to 8 integers from 1 to 2147483647 in brackets"
      ),
      (
        #"{"type": "Reshape", "shape": []}"#,
        "layers[0].shape: is a list; give 1 to 8 integers from 1 to 2147483647 in brackets"
      ),
      (
        #"{"type": "Reshape", "shape": [2147483647, 2147483647, 2147483647, 2147483647]}, {"type": "ReLU"}"#,
        "layers[0]: a reshape to [2147483647, 2147483647, 2147483647, 2147483647] cannot take input of shape [28, 28, 1]"
      ),
      (#"{"type": "Block", "layers": []}"#, "layers[0].layers: is empty; give one layer or more"),
      (
        #"{"type": "Block", "layers": [{"type": "Flatten"}]}"#,
        "layers[0].layers: has only layers that rename a shape; give one that computes"
      ),
      (#"{"type": "Flatten"}"#, "layers: has only layers that rename a shape; give one that computes"),
      (#"{"type": "Residual"}"#, "layers[0].body: is missing; give a list of layers"),
      (
        #"{"type": "Residual", "body": [{"type": "ReLU"}, {"type": "Dense", "units": 0}]}"#,
        "layers[0].body[1].units: is 0; \(sizes)"
      ),
      (
        #"{"type": "Residual", "body": [{"type": "ReLU"}], "shortcut": []}"#,
        "layers[0].shortcut: is empty; give one layer or more"
      ),
      (
        #"{"type": "Residual", "body": [{"type": "Dense", "units": 3}]}"#,
        "layers[0]: a residual block of [3] beside a shortcut of [28, 28, 1]"
      ),
      (
        #"{"type": "Flatten"}, {"type": "Conv2D", "filters": 4, "kernel": 3}"#,
        "layers[1]: a 3×3 convolution cannot take input of shape [784]"
      ),
      (
        #"{"repeat": 2, "layers": [{"type": "MaxPool2D", "size": 28}]}"#,
        "layers[0].layers[0]: a 28×28 max-pooling cannot take input of shape [1, 1, 1]"
      ),
      (#"{"repeat": 0, "layers": []}"#, "layers[0].repeat: is 0; give an integer from 1 to 4096"),
      (#"{"repeat": "outputs", "layers": []}"#, #"layers[0].repeat: is "outputs"; give an integer from 1 to 4096"#),
      (
        #"{"repeat": 1000000000000000000, "layers": []}"#,
        "layers[0].repeat: is 1000000000000000000; give an integer from 1 to 4096"
      ),
      (#"{"repeat": 2}"#, "layers[0].layers: is missing; give the layers to repeat"),
      (
        #"{"repeat": 2, "layers": [], "type": "Block"}"#,
        #"layers[0]: "type" is nothing that a repeat has: repeat, layers"#
      ),
      (#"{"repeat": 2, "layers": []}"#, "layers[0].layers: is empty; give one layer or more"),
      (
        #"{"type": "Conv2D", "filters": 1000000, "kernel": 1}"#,
        "layers[0]: gives [28, 28, 1000000] a sample; the most is 536870912 values"
      ),
      (
        #"{"type": "Dense", "units": 1000000}, {"type": "Dense", "units": 1000000}"#,
        "layers[1]: learns 1000001000000.0 parameters; the most is 1000000000"
      ),
    ] as [(String, String)])
  func malformedLayers(_ text: String, _ line: String) {
    let error = #expect(throws: ModelDescriptionError.self) { try Self.layers(text) }
    #expect(error?.description == line)
  }

  /// Texts of a file are shown quoted and cut.
  @Test func hostileTextsAreShownOnTheirLine() {
    let long = String(repeating: "x", count: 100_000)
    for text in [
      "{\"type\": \"a\\n\u{1B}[1m\\u202e\"}", "{\"type\": \"\(long)\"}", "{\"type\": \"ReLU\", \"\(long)\": 1}",
      "{\"type\": \"Dense\", \"units\": \(String(repeating: "9", count: 100_000))}",
    ] {
      let error = #expect(throws: ModelDescriptionError.self) { try Self.layers(text) }
      let line = error?.description ?? ""
      #expect(line.utf8.count < 500 && line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x2028 })
    }
  }

  // MARK: Nothing large is made

  @Test func repeatsWithinRepeatsAreBounded() {
    let relu = #"{"type": "ReLU"}"#
    func nested(_ levels: Int, _ count: Int) -> String {
      (0..<levels).reduce(relu) { text, _ in "{\"repeat\": \(count), \"layers\": [\(text), \(text)]}" }
    }
    let start = ContinuousClock.now
    for (levels, count) in [(2, 4096), (6, 1000), (12, 3)] {
      let error = #expect(throws: ModelDescriptionError.self) { try Self.layers(nested(levels, count)) }
      #expect(
        error?.description.hasSuffix("is one layer too many; the most is 4096, repeats counted") == true, "\(levels)")
    }
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(throws: Never.self) { try Self.layers(#"{"repeat": 4096, "layers": [{"type": "ReLU"}]}"#) }
    #expect(throws: ModelDescriptionError.self) {
      try Self.layers(#"{"repeat": 4096, "layers": [{"type": "ReLU"}]}, {"type": "ReLU"}"#)
    }
  }

  @Test func depthIsBounded() throws {
    func nested(_ levels: Int) -> String {
      (0..<levels).reduce(#"{"type": "ReLU"}"#) { text, _ in "{\"type\": \"Residual\", \"body\": [\(text)]}" }
    }
    let deep = try Self.layers(nested(15) + #", {"type": "Flatten"}, {"type": "Dense", "units": 10}"#)
    let network = try Network(deep, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    #expect(network.layout.learntCount == 7850)
    let error = #expect(throws: ModelDescriptionError.self) { try Self.layers(nested(16)) }
    #expect(error?.description.hasSuffix(": is 17 lists deep; the most is 16") == true)
    #expect(throws: ModelDescriptionError.self) { try Self.layers(nested(20_000)) }
  }

  /// Nothing is made, so that the largest can be read.
  @Test func sizesAreBounded() throws {
    let text = Array(#"{"name": "net", "layers": [{"type": "ReLU"}]}"#.utf8)
    let most = 1 << 29
    #expect(try ModelDescription(text).model(input: [most], outputs: 10).layers.count == 1)
    let error = #expect(throws: ModelDescriptionError.self) {
      try ModelDescription(text).model(input: [most + 1], outputs: 10)
    }
    #expect(error?.description.hasSuffix("the most is 536870912 values") == true, "\(error?.description ?? "")")
  }

  @Test func longTextsAreRefused() {
    let text = String(repeating: " ", count: ModelDescription.mostBytes) + "{}"
    #expect(throws: ModelDescriptionError(nil, "has 1048578 bytes; the most is 1048576")) { try Self.model(text) }
  }

  // MARK: The summary

  @Test(arguments: names)
  func sumsAreTheNetworks(_ name: String) throws {
    let model = try Model.named(name, input: Self.input(of: name), outputs: 10)
    let network = try Network(model, loss: Self.loss(of: name), capacity: 1)
    let summary = try ModelSummary(model)
    #expect(summary.parameters == network.layout.learntCount)
    #expect(summary.trainingOperations == network.trainingOperations)
    let outer = summary.rows.filter { $0.depth == 0 }
    #expect(outer.reduce(0) { $0 + $1.parameters } == summary.parameters)
    #expect(outer.reduce(0) { $0 + $1.trainingOperations } == summary.trainingOperations)
    #expect(outer.count { $0.isStage } == network.stages.count)
    let outputShape = try Self.loss(of: name).outputShape
    #expect(outer.count == model.layers.count && outer.last?.output == outputShape)
  }

  @Test func rowsOfLayersWithinLayers() throws {
    let model = try Self.layers(
      """
      {"type": "Flatten"}, {"type": "Dense", "units": 6},
      {"type": "Residual", "body": [{"type": "Dense", "units": 5}, {"type": "ReLU"}, {"type": "Dense", "units": 3}],
       "shortcut": [{"type": "Dense", "units": 3}]}
      """)
    let rows = try ModelSummary(model).rows
    #expect(rows.map(\.name) == ["flatten", "dense1", "residual1", "dense1", "relu", "dense2", "dense1"])
    #expect(rows.map(\.depth) == [0, 0, 0, 1, 1, 1, 1])
    #expect(rows[3].type == "body: Dense" && rows[6].type == "shortcut: Dense" && rows[1].type == "Dense")
    #expect(rows.map(\.output) == [[784], [6], [3], [5], [5], [3], [3]])
    #expect(rows.map(\.parameters) == [0, 4710, 74, 35, 0, 18, 21])
    // Two products where no input gradient is asked for, else three.
    // A Flatten has no memory of its own, nor has a rectifier behind a dense layer that does it.
    #expect(rows.map(\.activations) == [0, 6, 3, 5, 5, 3, 3])
    #expect(rows.map(\.isStage) == [false, true, true, true, true, true, true])
    #expect(rows.map(\.trainingOperations) == [0, 4 * 784 * 6, 6 * 63, 6 * 30, 0, 6 * 15, 6 * 18])
  }
}
