import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// `--model FILE.json`, and `inspect --model`, which writes such files.
  @Suite(.serialized)
  struct DescribedModelTests {
    /// A net that no name has, for 8×8 images: convolutions, blocks in a repeat, a shortcut, dropout.
    private static let net = """
      {"name": "mine", "layers": [
        {"type": "Conv2D", "filters": 4, "kernel": 3, "padding": "same"},
        {"type": "ReLU"},
        {"repeat": 2, "layers": [
          {"type": "Residual", "body": [
            {"type": "Conv2D", "filters": 8, "kernel": 3, "padding": "same"},
            {"type": "SiLU"}
          ], "shortcut": [
            {"type": "Conv2D", "filters": 8, "kernel": 1}
          ]},
          {"type": "MaxPool2D", "size": 2}
        ]},
        {"type": "Flatten"},
        {"type": "Dropout", "probability": 0.25},
        {"type": "Dense", "units": "outputs"}
      ]}
      """

    private static func write(_ text: String, to path: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func printed(_ name: String) throws -> String {
      let outcome = try Program.run(["inspect", "--model", name, "--format", "json"])
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      return outcome.output
    }

    /// What is printed of a built-in net, and read back, trains to its digest.
    @Test(arguments: [("keras-convnet", "20"), ("vit", "3"), ("gru", "5"), ("mlp:784-40-10", "40")])
    func printedNetsAreTheNets(_ name: String, _ steps: String) throws {
      let scratch = try ScratchDirectory()
      let file = scratch.file("net.json")
      try Self.write(try Self.printed(name), to: file)
      var digests: Set<String> = []
      for (index, (model, ranks)) in [(name, nil), (file, nil), (file, 1), (file, 3)].enumerated() {
        let outcome = try Program.run(
          ["train", "--model", model, "--max-steps", steps, "--run-dir", scratch.file("run-\(index)")], ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
      }
      print("\(name) from a file: \(digests)")
      #expect(digests.count == 1)
      // Printed of its own file, it is the same file.
      #expect(try Self.printed(file) == String(contentsOfFile: file, encoding: .utf8))
    }

    /// One that predicts pixels has its task in its file.
    @Test(arguments: ["gpt", "wavenet", "bert"])
    func printedPixelNetsAreTheNets(_ name: String) throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let data = ["--data", scratch.file("data")]
      let file = scratch.file("net.json")
      let printed = try Program.run(
        [
          "inspect", "--model", name, "--format", "json", "--input",
          name == "gpt" ? "4x4x1" : name == "bert" ? "8x8x2" : "8x8x1",
        ])
      try Self.write(printed.output, to: file)
      var digests: Set<String> = []
      for (index, (model, ranks)) in [(name, nil), (file, nil), (file, 3)].enumerated() {
        let run = scratch.file("run-\(index)")
        let outcome = try Program.run(
          ["train", "--model", model, "--max-steps", "7", "--run-dir", run] + data, ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
        let evaluated = try Program.run(["evaluate", run] + data, ranks: ranks)
        #expect(evaluated.code == 0, "\(evaluated.errors)")
        #expect(evaluated.testLine == outcome.testLine && outcome.testLine != nil)
      }
      print("\(name) from a file: \(digests)")
      #expect(digests.count == 1)
      // Of MNIST's images as the net takes them, where the layers do not depend on their size.
      if name != "wavenet" { #expect(try Self.printed(file) == String(contentsOfFile: file, encoding: .utf8)) }
      let other = try Program.run(["train", "--model", file, "--task", "classify"] + data)
      #expect(other.code == 64 && other.errors.contains("--task classify does not fit the model"), "\(other.errors)")
    }

    @Test func aNetFromAFileHasOneDigest() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      try Self.write(Self.net, to: scratch.file("net.json"))
      let train = [
        "train", "--data", scratch.file("data"), "--model", scratch.file("net.json"), "--epochs", "3", "--max-steps",
        "14",
      ]
      var digests: Set<String> = []
      for ranks in [nil, 1, 2, 3, 4] {
        let outcome = try Program.run(
          train + ["--run-dir", scratch.file("run-\(ranks ?? 0)")], ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
      }
      print("a net from a file: \(digests)")
      #expect(digests.count == 1)
    }

    /// A checkpoint holds its net: it is evaluated without the file, and resumed with any file of the same content.
    @Test func checkpointsHoldTheNet() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let (file, run) = (scratch.file("net.json"), scratch.file("run"))
      let data = ["--data", scratch.file("data")]
      func train(_ file: String, steps: String) throws -> Program.Outcome {
        try Program.run(
          ["train", "--model", file, "--epochs", "3", "--max-steps", steps, "--run-dir", run] + data, ranks: 2)
      }
      try Self.write(Self.net, to: file)
      #expect(try train(file, steps: "7").code == 0)

      // Elsewhere, in other words: units for "outputs", no repeat, and a property at its usual value.
      let block = """
        {"body": [{"filters": 8, "padding": "same", "kernel": 3, "type": "Conv2D"}, {"type": "SiLU"}], "type": "Residual",
         "shortcut": [{"padding": "valid", "filters": 8, "kernel": 1, "type": "Conv2D"}]}, {"type": "MaxPool2D", "size": 2}
        """
      let same = scratch.file("same.json")
      try Self.write(
        """
        {"layers": [{"type": "Conv2D", "filters": 4, "kernel": 3, "padding": "same"}, {"type": "ReLU"}, \(block),
        \(block), {"type": "Flatten"}, {"type": "Dropout", "probability": 2.5e-1}, {"type": "Dense", "units": 10}],
        "name": "mine"}
        """, to: same)
      let resumed = try train(same, steps: "14")
      #expect(resumed.code == 0 && resumed.output.contains("resumed after step 7"), "\(resumed.errors)")
      try FileManager.default.moveItem(atPath: run, toPath: scratch.file("first"))
      #expect(try train(file, steps: "14").weightsDigest == resumed.weightsDigest)

      let other = scratch.file("other.json")
      try Self.write(Self.net.replacing("0.25", with: "0.5"), to: other)
      let refused = try train(other, steps: "20")
      #expect(refused.code == 65 && refused.errorLines.count == 1, "\(refused.errors)")
      #expect(refused.errors.contains("0.25") && refused.errors.contains("0.5"), "\(refused.errors)")
      try Self.write(Self.net.replacing("mine", with: "yours"), to: other)
      let renamed = try train(other, steps: "20")
      #expect(renamed.code == 65 && renamed.errors.contains("mine") && renamed.errors.contains("yours"))

      for name in ["net.json", "same.json", "other.json"] {
        try FileManager.default.removeItem(atPath: scratch.file(name))
      }
      let summary = try JSONDecoder().decode(
        TrainingSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(run)/summary.json")))
      for ranks in [nil, 3] {
        let evaluated = try Program.run(["evaluate", run] + data, ranks: ranks)
        #expect(evaluated.code == 0, "\(evaluated.errors)")
        #expect(evaluated.value(of: "Test loss") == fixed(summary.testLoss, 4))
      }
    }

    /// A checkpoint whose checksums are right and whose layers are not those of its tensors, or none at all.
    @Test func forgedLayersAreRefused() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      try Self.write(Self.net, to: scratch.file("net.json"))
      let data = ["--data", scratch.file("data")]
      let trained = try Program.run(
        ["train", "--model", scratch.file("net.json"), "--max-steps", "2", "--run-dir", scratch.file("run")] + data)
      #expect(trained.code == 0)
      let file = try CheckpointFile(CheckpointStore(directory: scratch.file("run/checkpoints")).path(step: 2))
      let tensors = file.file.header.tensors.map {
        NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.shape.count))
      }
      try file.read(into: tensors)
      let path = scratch.file("forged.safetensors")
      for layers in [
        "[", "[]", "[1]", #"[{"type": "Dense", "units": 1000000000000000000}]"#, #"[{"type": "Dense", "units": 10}]"#,
        #"[{"repeat": 4096, "layers": [{"repeat": 4096, "layers": [{"type": "ReLU"}]}]}]"#,
        #"[{"type": "Dense", "units": 3}]"#, #"[{"type": "Dense", "units": 900000}, {"type": "Dense", "units": 10}]"#,
        String(repeating: "[", count: 2_000_000), "Dense(10)",
      ] {
        var recipe = file.recipe
        recipe["layers"] = layers
        try Checkpoint(tensors: tensors, state: file.state, recipe: recipe, weightsDigest: file.weightsDigest)
          .write(to: path)
        for ranks in [nil, 2] {
          let outcome = try Program.run(["evaluate", path] + data, ranks: ranks)
          #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(layers.prefix(80)): \(outcome.errors)")
        }
      }
    }

    @Test func filesThatCannotBeUsed() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let file = scratch.file("net.json")
      func check(_ code: Int32, _ words: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation)
        throws
      {
        for ranks in [nil, 1, 3] {
          let outcome = try Program.start(
            ["train", "--data", scratch.file("data"), "--model", name, "--run-dir", scratch.file("run")], ranks: ranks
          ).wait(limit: 30)
          let said = "\(words) at \(ranks ?? 0): \(outcome.errors)"
          #expect(outcome.code == code && outcome.errorLines.count == 1, "\(said)", sourceLocation: sourceLocation)
          #expect(outcome.errors.contains(words), "\(said)", sourceLocation: sourceLocation)
        }
        for command in [["inspect", "--model", name], ["bench", "step", "--model", name]] {
          let outcome = try Program.run(command)
          #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome.errors)")
        }
      }
      try check(66, "\(file): cannot be read: No such file or directory; check the name", file)
      try FileManager.default.createDirectory(atPath: scratch.file("x.json"), withIntermediateDirectories: true)
      try check(65, "x.json: cannot be read", scratch.file("x.json"))
      for (text, words) in [
        ("", "is no JSON: line 1, column 1: expected a value"),
        (#"{"name": "a", "layers": [{"type": "Dense", "units": 0}]}"#, "\(file): layers[0].units: is 0; give"),
        (
          #"{"name": "a", "layers": [{"type": "Dense", "units": 3}, {"type": "MaxPool2D", "size": 2}]}"#,
          "\(file): layers[1]: a 2×2 max-pooling cannot take input of shape [3]"
        ),
      ] {
        try Self.write(text, to: file)
        try check(65, words, file)
      }
      // A file without an end: nothing is read of what is too long.
      try Self.write("{}", to: file)
      let handle = try #require(FileHandle(forWritingAtPath: file))
      try handle.truncate(atOffset: 1 << 40)
      try check(65, "\(file): has 1099511627776 bytes; the most is 1048576", file)
      // Not what the task wants, which only the net's end shows.
      try Self.write(#"{"name": "a", "layers": [{"type": "Dense", "units": 3}]}"#, to: file)
      let outcome = try Program.run(["train", "--data", scratch.file("data"), "--model", file])
      #expect(outcome.code == 64 && outcome.errorLines.count == 1)
      #expect(outcome.errors.contains("model a gives 3 outputs, but the task needs 10"), "\(outcome.errors)")
    }

    /// Each rank reads its own copy, as on hosts with local disks.
    @Test func otherFilesOnOtherRanksAreRefused() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      try Self.write(Self.net, to: scratch.file("net.json"))
      try Self.write(Self.net.replacing("0.25", with: "0.5"), to: scratch.file("other.json"))
      func arguments(_ file: String) -> [String] {
        ["train", "--data", scratch.file("data"), "--model", scratch.file(file), "--run-dir", scratch.file("run")]
      }
      let outcome = try Program.run(arguments("net.json"), ranks: 2, others: arguments("other.json"))
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 1") && outcome.errors.contains("layers"), "\(outcome.errors)")
    }

    @Test func inspectionOfNets() throws {
      let table = try Program.run(["inspect", "--model", "article"])
      #expect(table.code == 0)
      #expect(
        table.output.contains(#/convolution1 +Conv2D +\[26, 26, 32\] +320 /#)
          && table.output.contains(#/dense1 +Dense +\[10\] +54,090 /#) && table.output.contains(#/in all +54,410 /#),
        "\(table.output)")
      // A convolution that pools keeps what it has pooled, 13 · 13 · 32 floats; the ten logits are 40 bytes.
      #expect(table.output.contains(#/convolution1 .+ 320 +21\.6 /#))
      #expect(table.output.contains(#/maxpool +MaxPool2D .+\] +0 +0\n/#))
      #expect(table.output.contains(#/in all +54,410 +21\.7 /#) && table.output.contains("Parameters: 217.6 KB"))
      let small = try Program.run(["inspect", "--model", "lstm", "--input", "8x8x3", "--outputs", "4"])
      #expect(small.output.contains("[8, 24]") && small.output.contains(#/dense1 +Dense +\[4\]/#), "\(small.output)")
      #expect(
        try Program.run(["inspect", "--model", "lstm", "--input", "8x8x3", "--format", "json"]).output.contains(
          "[8, 24]"))
      for (arguments, code) in [
        ([], 64), (["a", "--model", "article"], 64), (["--model", "nothing"], 64), (["--model", "none.json"], 66),
        (["--model", "article", "--format", "yaml"], 64), (["--model", "article", "--input", "28x0"], 64),
        (["--model", "article", "--input", ""], 64), (["--model", "article", "--input", "1000000x1000000"], 64),
        (["--model", "article", "--input", "784"], 64), (["--model", "article", "--outputs", "0"], 64),
        (["--model", "article", "--time", "--format", "json"], 64), (["a", "--time"], 64),
        (["--model", "article", "--batch", "0"], 64),
      ] as [([String], Int32)] {
        let outcome = try Program.run(["inspect"] + arguments)
        #expect(outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.errors)")
      }
    }

    /// A line a layer with its times, those of fused and inner layers with the outer one; in 100 columns.
    @Test func timesOfNets() throws {
      for (name, input, outputs) in [
        ("article", "28x28x1", 10), ("vit", "12x12x1", 4), ("gpt", "6x6x1", 10), ("resnet", "8x8x3", 3),
      ] {
        let outcome = try Program.run([
          "inspect", "--model", name, "--time", "--batch", "8", "--input", input, "--outputs", "\(outputs)",
        ])
        try #require(outcome.code == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 }, "\(outcome.output)")
        let whole = try #require(lines.first { $0.hasPrefix("in all") }?.split(separator: " ").suffix(2))
        let times = whole.compactMap { Double($0) }
        #expect(times.count == 2 && times.allSatisfy { $0 > 0 }, "\(outcome.output)")
        if name == "article" {
          #expect(
            outcome.output.contains(#/convolution1 +Conv2D .+ 21\.6 +[0-9.]+ +[0-9.]+\n/#)
              && outcome.output.contains(#/flatten +Flatten +\[5408\] +0\n/#), "\(outcome.output)")
        }
      }
      for name in Model.names where !name.contains("…") {
        let table = try Program.run(["inspect", "--model", name])
        #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(table.output)")
      }
    }
  }
}
