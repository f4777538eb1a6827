import Foundation
import Lockstep
import PeerPython
import Testing

/// Networks as ONNX files, which ONNX Runtime runs beside them, by Tests/Peers/onnx_logits.py.
struct ONNXExportTests {
  private static let samples = 16

  /// Takes outputs of any shape. Nothing is trained here.
  private struct Anything: Loss {
    let outputShape: Shape
    var outputs: Int { outputShape.count }
    func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
      LossSums(samples: examples.samples)
    }
  }

  /// A network with weights of which none is where it starts, and samples for it.
  private struct Example {
    let name: String
    let network: Network
    let parameters: Buffer<Float>
    let inputs: Buffer<Float>

    /// - Parameter tokens: the number of different whole numbers that the samples hold; 0 for real numbers of 0 to 1.
    init(_ model: Model, loss: (any Loss)? = nil, tokens: Int = 0) throws {
      name = model.name
      let shape = try Block(model.layers).outputShape(for: model.input)
      network = try Network(model, loss: loss ?? Anything(outputShape: shape), capacity: samples)
      parameters = Buffer<Float>(count: network.layout.count)
      network.initialise(parameters, seed: 5)
      for range in network.layout.ranges {
        for index in range { parameters[index] += 0.05 * Float(sin(Double(index) * 1.7)) }
      }
      inputs = Buffer<Float>(count: samples * model.input.count)
      for index in 0..<inputs.count {
        let value = 0.5 + 0.5 * sin(Double(index) * Double(index) * 0.37 + 0.2)
        inputs[index] = tokens == 0 ? Float(value) : Float(min(Int(value * Double(tokens)), tokens - 1))
      }
    }

    /// One of the built-in models.
    init(named name: String) throws {
      let task = PixelTask(modelNamed: name)
      let input = task?.inputShape(for: [28, 28, 1]) ?? [28, 28, 1]
      let loss: any Loss =
        switch task?.kind {
        case .softmax: PixelSoftmaxCrossEntropy(pixels: input.count)
        case .sigmoid: PixelSigmoidCrossEntropy(pixels: input.count)
        case .hidden: try HiddenPatchError(input: input)
        case nil: SoftmaxCrossEntropy(classes: 10)
        }
      try self.init(
        Model.named(name, input: input, outputs: loss.outputs), loss: loss, tokens: task == nil ? 0 : 2)
    }

    /// One of these layers, called after the first.
    init(_ name: String, _ input: Shape, tokens: Int = 0, @LayerBuilder _ layers: () -> [any LayerSpecification]) throws
    {
      try self.init(Model(name: name, input: input, layers: layers()), tokens: tokens)
    }

    /// Writes the model, the samples and the outputs; returns the script's three arguments.
    func write(to directory: String) throws -> [String] {
      let paths = ["onnx", "inputs.npz", "logits.npz"].map { "\(directory)/\(name).\($0)" }
      try AtomicFile.write(try network.onnx(parameters).bytes, to: paths[0])
      let examples = Examples(inputs: inputs, labels: Buffer(count: samples))
      let logits = network.outputs(examples, parameters: parameters)
      func tensor(_ name: String, _ shape: Shape, _ values: Buffer<Float>) -> NamedTensor {
        NamedTensor(name: name, shape: Shape([samples] + shape.extents), values: values)
      }
      try NumPyArchive.write([tensor("input", network.model.input, inputs)], to: paths[1])
      try NumPyArchive.write([tensor("logits", network.loss.outputShape, logits)], to: paths[2])
      return paths
    }
  }

  /// Every layer, each where the order of an image's axes or the names of parameters could go wrong.
  private static func layers() throws -> [Example] {
    [
      try Example("convolutions", [9, 7, 3]) {
        Conv2D(filters: 4, kernel: 3)
        Tanh()
        Conv2D(filters: 5, kernel: 3, padding: .same, stride: 2, bias: false)
        SiLU()
        Conv2D(filters: 6, kernel: 1)
        GELU()
        Conv2D(filters: 3, kernel: 2)
      },
      try Example("pools", [11, 8, 3]) {
        MaxPool2D(2)
        MaxPool2D(2, stride: 1)
        Conv2D(filters: 8, kernel: 3, padding: .same)
        Sigmoid()
        MaxPool2D(3)
        GlobalAveragePool2D()
      },
      try Example("flat", [5, 4, 3]) {
        Conv2D(filters: 2, kernel: 2)
        ReLU()
        Flatten()
        Dropout(0.5)
        Dense(7)
        ReLU()
        Dense(3)
      },
      try Example("dense-of-an-image", [5, 4, 3]) {
        Conv2D(filters: 2, kernel: 2)
        Dense(7)
      },
      try Example("normalised-image", [6, 5, 4]) {
        LayerNorm()
        Conv2D(filters: 3, kernel: 3)
        BatchNorm()
        ReLU()
        LayerNorm()
      },
      try Example("normalised-tokens", [6, 5]) {
        BatchNorm()
        TokenDense(4)
        LayerNorm()
        Flatten()
        BatchNorm()
        Dense(3)
      },
      try Example("normalised-volume", [24]) {
        Reshape([2, 3, 2, 2])
        BatchNorm()
        ReLU()
        LayerNorm()
        Dense(4)
      },
      try Example("residuals", [6, 6, 3]) {
        Residual([ReLU()])
        Residual(
          [Conv2D(filters: 4, kernel: 3, padding: .same), BatchNorm(), ReLU()],
          shortcut: [Conv2D(filters: 4, kernel: 1)])
        Residual([LayerNorm()])
        Block([Residual([Conv2D(filters: 4, kernel: 3, padding: .same)]), Sigmoid()])
        Block([Block([Residual([Conv2D(filters: 4, kernel: 1)], shortcut: [LayerNorm()])])])
        Residual([Flatten(), Dense(8)], shortcut: [GlobalAveragePool2D(), Dense(8)])
      },
      try Example("rnn", [5, 3]) {
        RNN(6)
        Dense(3)
      },
      try Example("lstm-of-an-image", [4, 3, 2]) {
        Conv2D(filters: 2, kernel: 2)
        Reshape([3, 4])
        LSTM(5)
      },
      try Example("gru", [5, 3]) { GRU(6) },
      try Example("one-step", [1, 3]) {
        Residual([GRU(3), Reshape([1, 3])])
        Residual([LSTM(3), Reshape([1, 3])])
        RNN(2)
      },
      try Example("attention", [5, 8]) {
        MultiHeadAttention(heads: 2)
        MultiHeadAttention(heads: 8, causal: true)
        MultiHeadAttention(heads: 1, causal: true)
      },
      try Example("tokens", [5, 4]) {
        ClassToken()
        Positions()
        TokenDense(6)
        GELU()
        Tokens(from: 2)
        Token(1)
      },
      try Example("embedding", [7], tokens: 3) {
        Shift(start: 3)
        Embedding(tokens: 4, width: 5)
        Shift(start: -0.5)
        Positions()
      },
      try Example("shifted-image", [3, 4, 2]) {
        Conv2D(filters: 3, kernel: 2)
        Shift(start: 0.25)
      },
      try Example("one-position", [1, 4]) {
        Shift(start: 2)
        TokenDense(3)
      },
      try Example("gated", [9, 3]) {
        GatedStack(skip: 4, dilations: [1, 2, 16])
        ReLU()
        GatedStack(skip: 2, dilations: [3])
      },
      try Example("patches", [4, 6, 3]) {
        Conv2D(filters: 3, kernel: 1)
        Patches(2)
        TokenDense(4)
      },
      try Example("masked-patches", [4, 6, 2], tokens: 2) {
        MaskedPatches(2)
        TokenDense(3)
      },
    ]
  }

  /// Runs the script and checks its lines, where ONNX Runtime can be had.
  private static func check(_ examples: [Example]) throws {
    let packages = ["onnx", "onnxruntime", "numpy"]
    guard let python = try PeerPython("onnx", packages: packages, modules: packages) else { return }
    let directory = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let files = try examples.flatMap { try $0.write(to: directory) }
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Peers/onnx_logits.py").path
    let (status, output) = try python.run([script] + files)
    #expect(status == 0, "\(output)")
    let lines = output.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 5 }
    #expect(lines.map { "\($0[0])" } == examples.map { "\($0.name).onnx" }, "\(output)")
    for line in lines {
      #expect(Double(line[1]).map { $0 < 1e-5 } == true && line[2] == "\(samples)" && line[4] == "0", "\(line)")
    }
    print(output, terminator: "")
  }

  @Test func everyLayerComputesTheSame() throws { try Self.check(Self.layers()) }

  @Test func everyModelComputesTheSame() throws {
    let names = Model.names.filter { !$0.contains(":") }
    #expect(names.count == 13)
    try Self.check(names.map { try Example(named: $0) })
  }

  /// A layer that has no file for ONNX.
  private struct Own: ElementwiseSpecification {
    var kind: String { "own" }
    static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { output.copy(from: input) }
    static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {}
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    let own = try Example("mine", [4]) { Block([Dense(3), Own()]) }
    #expect(throws: ModelError("model mine: a layer of kind own cannot be written with ONNX's operators")) {
      _ = try own.network.onnx(own.parameters)
    }
    let dense = try Example("mine", [100]) { Dense(100) }
    #expect(
      throws: ModelError("model mine: its constants are more than fit into an ONNX file of 40000 bytes")
    ) { _ = try dense.network.onnx(dense.parameters, mostBytes: 40_000) }
    let causal = try Example("mine", [100, 2]) { MultiHeadAttention(heads: 1, causal: true) }
    #expect(throws: ModelError.self) { _ = try causal.network.onnx(causal.parameters, mostBytes: 40_000) }
    #expect(throws: Never.self) { _ = try dense.network.onnx(dense.parameters, mostBytes: 45_000) }
  }

  /// The words about the inputs and outputs.
  @Test func meaningIsSaid() throws {
    let article = try Example(named: "article")
    let model = try article.network.onnx(article.parameters)
    #expect(model.metadata.first { $0.key == "classes" }?.value == "0,1,2,3,4,5,6,7,8,9")
    #expect(
      model.documentation
        == "article, trained by Lockstep. input: [N, 28, 28, 1], height, width, channels: grey values of 0 to 255, divided by 255. "
        + "logits: [N, 10], the softmax over the last axis gives the probabilities of the classes.")
    let gpt = try Example(named: "gpt")
    #expect(try gpt.network.onnx(gpt.parameters).documentation.contains("pixels in black and white, 0 or 1"))
  }
}
