import Foundation
import Lockstep
import PeerPython
import Testing

extension ProgramTests {
  /// Checkpoints written for PyTorch and NumPy, and what is no such file in any format.
  @Suite(.serialized)
  struct ExportTests {
    /// A short run of `arguments` in `scratch`, on images of 8×8.
    private static func train(_ arguments: [String], _ name: String, _ scratch: ScratchDirectory) throws -> String {
      try SmallSet().write(to: scratch.file("data"))
      let run = scratch.file(name)
      let outcome = try Program.run(
        ["train", "--epochs", "1", "--data", scratch.file("data"), "--run-dir", run] + arguments, ranks: 2)
      #expect(outcome.code == 0, "\(outcome.errors)")
      return run
    }

    private static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    /// The article's network for images of 8×8, in PyTorch, on the test images.
    private static let peer = """
      import csv, sys, torch, torch.nn as nn
      from safetensors.torch import load_file
      model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 10))
      model.load_state_dict(load_file(sys.argv[1]), strict=True)
      pixels = torch.frombuffer(bytearray(open(sys.argv[2], "rb").read()[16:]), dtype=torch.uint8)
      with torch.no_grad():
          found = model(pixels.float().reshape(-1, 1, 8, 8) / 255)
      rows = list(csv.reader(open(sys.argv[3])))
      wanted = torch.tensor([[float(value) for value in row[:10]] for row in rows if row[0][-1].isdigit()])
      assert found.shape == wanted.shape, (found.shape, wanted.shape)
      print("difference", ((found - wanted).abs().max() / wanted.abs().max()).item())
      """

    @Test func pyTorchTakesACheckpointStrictlyAndComputesItsLogits() throws {
      let scratch = try ScratchDirectory()
      // Far from the weights themselves: the averages are what an evaluation measures.
      let run = try Self.train(["--ema", "0.9", "--learning-rate", "0.05"], "run", scratch)
      let file = scratch.file("model.safetensors")
      let checkpoint = "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))"
      var files: Set<Data> = []
      for (path, ranks) in [(run, nil), (checkpoint, 3)] as [(String, Int?)] {
        let outcome = try Program.run(
          ["export", path, "--format", "safetensors", "--output", file, "--input", "8x8x1"], ranks: ranks)
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
        #expect(
          outcome.output == "\(file): 4 tensors by PyTorch's names, of \(checkpoint), step 6, averaged weights\n",
          "\(outcome.output)")
        files.insert(try Self.bytes(file))
      }
      #expect(files.count == 1)

      // Back into a run, which begins with the averages.
      let again = try Program.run([
        "train", "--data", scratch.file("data"), "--epochs", "1", "--max-steps", "1", "--init-from", file, "--run-dir",
        scratch.file("again"),
      ])
      #expect(
        again.code == 0 && again.output.contains("initialised from \(file): 4 of 4 parameters, by PyTorch's names\n"),
        "\(again.output) \(again.errors)")

      let logits = scratch.file("logits.csv")
      let evaluated = try Program.run([
        "evaluate", run, "--data", scratch.file("data"), "--write-logits", logits,
      ])
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      let packages = ["torch", "numpy", "safetensors"]
      guard let python = try PeerPython("torch", packages: packages, modules: ["torch", "safetensors.torch"]) else {
        return
      }
      let images = scratch.file("data/t10k-images-idx3-ubyte")
      let result = try python.run(["-c", Self.peer, file, images, logits])
      let difference = result.output.split(separator: " ").last.flatMap {
        Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      #expect(result.status == 0 && difference.map { $0 < 1e-4 } == true, "\(result.output)")
    }

    /// The same arrays as the safetensors file has, by NumPy's own reader.
    @Test func numPyTakesTheSameWeights() throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train(["--model", "resnet", "--max-steps", "2"], "run", scratch)
      let files = ["safetensors", "npz"].map { scratch.file("model.\($0)") }
      for file in files {
        let format = file.split(separator: ".").last ?? ""
        let outcome = try Program.run(
          ["export", run, "--format", "\(format)", "--output", file, "--input", "8x8x1"])
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
        let kind = format == "npz" ? "arrays" : "tensors"
        #expect(outcome.output.contains(" \(kind) by PyTorch's names, of \(run)/checkpoints/"), "\(outcome.output)")
      }
      let packages = ["safetensors", "numpy"]
      guard let python = try PeerPython("safetensors", packages: packages, modules: ["safetensors.numpy"]) else {
        return
      }
      let script = """
        import sys, numpy
        from safetensors.numpy import load_file
        tensors, arrays = load_file(sys.argv[1]), numpy.load(sys.argv[2], allow_pickle=False)
        assert list(arrays) == list(dict.fromkeys(arrays)) and set(arrays) == set(tensors)
        for name, tensor in tensors.items():
            assert arrays[name].dtype == tensor.dtype and arrays[name].shape == tensor.shape, name
            assert (arrays[name] == tensor).all(), name
        print(len(tensors))
        """
      let result = try python.run(["-c", script] + files)
      #expect(result.status == 0 && Int(result.output.dropLast()).map { $0 > 60 } == true, "\(result.output)")
    }

    /// The shape of the samples is that of the recipe's pixels, or a table's.
    @Test func theShapeOfSamplesIsFound() throws {
      let scratch = try ScratchDirectory()
      let rows = (0..<60).map { "\($0 % 7),\($0 % 5),\($0 % 3),\(Double($0 % 7) / 4)" }
      let table = scratch.file("table.csv")
      try (["a,b,c,y"] + rows).joined(separator: "\n").write(toFile: table, atomically: true, encoding: .utf8)
      let trained = try Program.run([
        "train", "--data", table, "--task", "regress", "--epochs", "1", "--run-dir", scratch.file("table"),
      ])
      #expect(trained.code == 0, "\(trained.errors)")
      let gpt = try Self.train(["--model", "gpt"], "gpt", scratch)
      let file = scratch.file("model.safetensors")
      let bert = try Self.train(["--model", "bert"], "bert", scratch)
      for (run, name, shape) in [
        (scratch.file("table"), "1.weight", [512, 3]), (gpt, "pos", [1, 16, 64]),
        (bert, "out.weight", [16, 64]),
      ] as [(String, String, Shape)] {
        let shown = run == bert ? ["--input", "8x8x2"] : []
        let outcome = try Program.run(["export", run, "--output", file] + shown)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try SafeTensorsFile(file).header.tensor(named: name)?.shape == shape)
      }
    }

    @Test func whatCannotBeExportedIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train([], "run", scratch)
      let newest = "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))"
      var damaged = try Self.bytes(newest)
      damaged[damaged.count / 2] ^= 4
      try damaged.write(to: URL(fileURLWithPath: scratch.file("damaged.safetensors")))
      let file = scratch.file("model.safetensors")
      let (input, output) = (["--input", "8x8x1"], ["--output", file])
      for (arguments, code, words) in [
        ([run] + output, 65, "give --input"),
        ([run, "--input", "12x8x1"] + output, 65, "shape [10, 288] instead of [10, 480]; give --input"),
        ([run, "--input", "8x8x"] + output, 64, "--input 8x8x"), ([run] + input, 64, "--output"),
        ([run, "--format", "keras"] + input + output, 64, "format"),
        ([run, "--format", "onnx"] + output, 65, "give --input"),
        ([run, "--format", "npz", "--output", scratch.file("no/model.npz")] + input, 73, "no/model.npz"),
        ([run, "--format", "onnx", "--output", scratch.file("no/model.onnx")] + input, 73, "no/model.onnx"),
        ([scratch.file("damaged.safetensors")] + input + output, 65, "damaged"),
        ([scratch.file("data/train-images-idx3-ubyte")] + input + output, 65, "header"),
        ([scratch.file("none")] + input + output, 66, "none"),
        ([run, "--output", scratch.file("no/model.safetensors")] + input, 73, "no/model.safetensors"),
        ([run, "--output", scratch.path] + input, 73, "rename"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["export"] + arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: file))
      }

      // Cut anywhere, and with a length in front that no file has: the same line in every format.
      let whole = try Self.bytes(newest)
      var files = [0, 7, 8, 100, whole.count / 2, whole.count - 1].map { ("cut-\($0)", whole.prefix($0)) }
      files.append(("huge", Data([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) + whole.dropFirst(8)))
      for (name, content) in files {
        let path = scratch.file("\(name).checkpoint")
        try content.write(to: URL(fileURLWithPath: path))
        for format in ["safetensors", "onnx", "npz"] {
          let outcome = try Program.run(["export", path, "--format", format] + input + output)
          #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(name), \(format): \(outcome.errors)")
          #expect(!FileManager.default.fileExists(atPath: file))
        }
      }

      let faults = try WriteFaults(scratch)
      for format in ["safetensors", "onnx", "npz"] {
        try faults.sweep("weights.\(format)") { ["export", run, "--format", format, "--output", $0] + input }
      }

      // The old file stays where the new one finds no room.
      try Data("old".utf8).write(to: URL(fileURLWithPath: file))
      let full = try Program.run(["export", run] + input + output, script: "ulimit -f 8; exec \"$@\"")
      #expect(
        full.code == 73 && full.errorLines.count == 1 && full.errors.contains("model.safetensors"), "\(full.errors)")
      #expect(try Self.bytes(file) == Data("old".utf8))
      let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.contains("model") }
      #expect(left == ["model.safetensors"])
    }
  }
}
