import Foundation
import Lockstep
import PeerPython
import Testing

extension ProgramTests {
  /// `lockstep export --format onnx`: ONNX Runtime beside `evaluate --write-logits`, over all test images of MNIST.
  ///
  /// Tests/slow/onnx sets `LOCKSTEP_ONNX_MODELS` to `all` or to names with commas between: then these built-in models are trained and
  /// compared, else some.
  @Suite(.serialized)
  struct ONNXTests {
    /// A run, and where what is compared of it lies.
    private struct Case {
      var name: String
      var model: String
      var steps: Int
    }

    /// Images: convolutions of both paddings, normalisation, ways around, a mean.
    private static let images = """
      {"name": "images", "layers": [
        {"type": "Conv2D", "filters": 6, "kernel": 5, "stride": 2},
        {"type": "BatchNorm"},
        {"type": "SiLU"},
        {"repeat": 2, "layers": [
          {"type": "Residual", "body": [
            {"type": "Conv2D", "filters": 8, "kernel": 3, "padding": "same"},
            {"type": "BatchNorm"},
            {"type": "Tanh"}
          ], "shortcut": [{"type": "Conv2D", "filters": 8, "kernel": 1, "bias": false}]}
        ]},
        {"type": "MaxPool2D", "size": 2},
        {"type": "Dropout", "probability": 0.1},
        {"type": "GlobalAveragePool2D"},
        {"type": "Dense", "units": "outputs"}
      ]}
      """

    /// Tokens: patches, positions, attention, a recurrent layer over what it gives.
    private static let tokens = """
      {"name": "tokens", "layers": [
        {"type": "Patches", "size": 7},
        {"type": "TokenDense", "units": 12},
        {"type": "ClassToken"},
        {"type": "Positions"},
        {"repeat": 2, "layers": [
          {"type": "Block", "layers": [
            {"type": "Residual", "body": [{"type": "LayerNorm"}, {"type": "MultiHeadAttention", "heads": 3, "causal": true}]},
            {"type": "Residual", "body": [{"type": "LayerNorm"}, {"type": "TokenDense", "units": 12}, {"type": "GELU"}]}
          ]}
        ]},
        {"type": "GatedStack", "skip": 10, "dilations": [1, 4]},
        {"type": "Tokens", "from": 1},
        {"type": "GRU", "units": 9},
        {"type": "Sigmoid"},
        {"type": "Dense", "units": "outputs"}
      ]}
      """

    private static func cases(_ scratch: ScratchDirectory) throws -> [Case] {
      if let wanted = ProcessInfo.processInfo.environment["LOCKSTEP_ONNX_MODELS"] {
        let all = Model.names.filter { !$0.contains(":") }
        return (wanted == "all" ? all : wanted.split(separator: ",").map(String.init)).map {
          Case(name: $0, model: $0, steps: PixelTask(modelNamed: $0) == nil ? 40 : 8)
        }
      }
      var cases = [
        Case(name: "article", model: "article", steps: 200),
        Case(name: "keras-convnet", model: "keras-convnet", steps: 60),
        Case(name: "lstm", model: "lstm", steps: 20),
      ]
      for (name, text) in [("images", images), ("tokens", tokens)] {
        let file = scratch.file("\(name).json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        cases.append(Case(name: name, model: file, steps: 20))
      }
      return cases
    }

    /// Trains, exports and evaluates; returns the arguments of Tests/Peers/onnx_logits.py.
    private static func write(_ item: Case, _ scratch: ScratchDirectory) throws -> [String] {
      let run = scratch.file("run-\(item.name)")
      let (model, logits) = (scratch.file("\(item.name).onnx"), scratch.file("\(item.name).safetensors"))
      for (arguments, ranks) in [
        (["train", "--model", item.model, "--max-steps", "\(item.steps)", "--run-dir", run], 2),
        (["export", run, "--format", "onnx", "--output", model], nil),
        // Rank 0 writes alone: of a slow net other ranks would say after 30 s that it does not move on.
        (["evaluate", run, "--write-logits", logits], nil),
      ] as [([String], Int?)] {
        let outcome = try Program.start(arguments, ranks: ranks).wait(limit: 600)
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(arguments): \(outcome.errors)")
        guard arguments[0] == "export" else { continue }
        let checkpoint = "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))"
        let said = "\(model): model \(item.name) in operators 17 of ONNX, of \(checkpoint), step \(item.steps)\n"
        #expect(outcome.output == said, "\(outcome.output)")
      }
      return [model, try samples(item, run, scratch), logits]
    }

    /// The test images: their file, or, where the run prepared them, what it made of them.
    private static func samples(_ item: Case, _ run: String, _ scratch: ScratchDirectory) throws -> String {
      let directory = try ImageDataset.directory(named: "mnist")
      guard PixelTask(modelNamed: item.name) != nil else { return "\(directory)/t10k-images-idx3-ubyte" }
      let restored = try RestoredNetwork(
        run, for: ImageDataset.load(directory: directory, part: .test), program: lockstepVersion,
        communicator: SoloCommunicator(), warn: { _ in })
      let data = restored.data
      let inputs = Buffer<Float>(count: data.count * data.inputShape.count)
      data.copyInputs(in: 0..<data.count, into: inputs)
      let path = scratch.file("\(item.name).npz")
      try NumPyArchive.write(
        [NamedTensor(name: "input", shape: Shape([data.count] + data.inputShape.extents), values: inputs)], to: path)
      return path
    }

    @Test func onnxRuntimeComputesTheLogits() throws {
      let packages = ["onnx", "onnxruntime", "numpy"]
      guard let python = try PeerPython("onnx", packages: packages, modules: packages) else { return }
      let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Peers/onnx_logits.py").path
      let scratch = try ScratchDirectory()
      for item in try Self.cases(scratch) {
        let (status, output) = try python.run([script] + Self.write(item, scratch))
        // The file, the difference, samples, other predictions, and those that are clear.
        let words = output.split(whereSeparator: \.isWhitespace)
        #expect(status == 0 && words.count == 5, "\(item.name): \(output)")
        guard words.count == 5 else { continue }
        #expect(Double(words[1]).map { $0 < 1e-4 } == true && words[2] == "10000" && words[4] == "0", "\(output)")
        // Of pixels some are as good as undecided.
        #expect(words[3] == "0" || PixelTask(modelNamed: item.name) != nil, "\(output)")
        print(output, terminator: "")
      }
    }
  }
}
