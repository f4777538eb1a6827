import Foundation
import Lockstep
import PeerPython
import Testing

extension ProgramTests {
  /// `lockstep evaluate --write-logits FILE.safetensors`.
  @Suite struct LogitsFileTests {
    /// Python's own reader finds both tensors, of their types and shapes; the logits are those of the CSV file, and the same bytes at any
    /// number of ranks.
    @Test func tensorsOfClasses() throws {
      let scratch = try ScratchDirectory()
      let data = scratch.file("data")
      try SmallSet(labels: 13...17).write(to: data)
      let run = scratch.file("run")
      let train = ["train", "--data", data, "--model", "mlp:64-8-5", "--epochs", "1", "--run-dir", run]
      #expect(try Program.run(train).code == 0)
      let files = try written(run, data, scratch)
      guard let python = try Self.python() else { return }
      let script = """
        import sys, numpy
        from safetensors.numpy import load_file
        tensors = load_file(sys.argv[1])
        assert sorted(tensors) == ["logits", "targets"], tensors.keys()
        logits, targets = tensors["logits"], tensors["targets"]
        assert logits.dtype == numpy.float32 and logits.shape == (96, 5), logits.shape
        assert targets.dtype == numpy.int64 and targets.shape == (96,), targets.shape
        lines = numpy.loadtxt(sys.argv[2], delimiter=",", dtype=numpy.float64)
        assert (lines[:, :5].astype(numpy.float32) == logits).all()
        assert (lines[:, 5] == targets).all() and set(targets) == {13, 14, 15, 16, 17}
        accuracy = ((logits.argmax(1) + 13) == targets).mean()
        print("%.4f" % accuracy)
        """
      let result = try python.run(["-c", script, files.tensors, files.lines])
      #expect(result.status == 0, "\(result.output)")
      #expect(result.output == (files.evaluated.value(of: "Test accuracy") ?? "none") + "\n", "\(result.output)")
    }

    /// Targets that are numbers are floats.
    @Test func tensorsOfNumbers() throws {
      let scratch = try ScratchDirectory()
      let table = scratch.file("table.csv")
      try MadeTable(rows: 200, target: .number).write(to: table)
      let run = scratch.file("run")
      #expect(try Program.run(["train", "--data", table, "--max-steps", "5", "--run-dir", run]).code == 0)
      let files = try written(run, table, scratch)
      guard let python = try Self.python() else { return }
      let script = """
        import sys, numpy
        from safetensors.numpy import load_file
        tensors = load_file(sys.argv[1])
        for name in ("logits", "targets"):
            assert tensors[name].dtype == numpy.float32 and tensors[name].shape[1:] == (1,), tensors[name].shape
        lines = numpy.loadtxt(sys.argv[2], delimiter=",", dtype=numpy.float64).astype(numpy.float32)
        assert (lines == numpy.concatenate([tensors["logits"], tensors["targets"]], 1)).all()
        """
      let result = try python.run(["-c", script, files.tensors, files.lines])
      #expect(result.status == 0, "\(result.output)")
    }

    @Test func aFaultAtEveryCallLeavesNothing() throws {
      let scratch = try ScratchDirectory()
      let (data, run) = (scratch.file("data"), scratch.file("run"))
      try SmallSet().write(to: data)
      let train = ["train", "--data", data, "--model", "mlp:64-8-10", "--epochs", "1", "--run-dir", run]
      #expect(try Program.run(train).code == 0)
      try WriteFaults(scratch).sweep("logits.safetensors") { ["evaluate", run, "--data", data, "--write-logits", $0] }
    }

    @Test(arguments: ["logits", "logits.npy", "logits.CSV", "safetensors"])
    func otherNamesAreRefused(_ name: String) throws {
      let outcome = try Program.run(["evaluate", "/nowhere", "--write-logits", name])
      #expect(outcome.code == 64, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("--write-logits \(name) is none") && outcome.errors.contains("FILE.safetensors"),
        "\(outcome.errors)")
    }

    private static func python() throws -> PeerPython? {
      try PeerPython("safetensors", packages: ["safetensors", "numpy"], modules: ["safetensors.numpy"])
    }

    /// The files of the run in `run`: tensors, the same at one and at three ranks, and lines.
    private func written(
      _ run: String, _ data: String, _ scratch: ScratchDirectory
    ) throws -> (tensors: String, lines: String, evaluated: Program.Outcome) {
      let (alone, three, lines) = (
        scratch.file("alone.safetensors"), scratch.file("three.safetensors"), scratch.file("lines.csv")
      )
      let outcomes = try [(alone, nil), (three, 3), (lines, 2)].map { path, ranks in
        try Program.run(["evaluate", run, "--data", data, "--write-logits", path], ranks: ranks)
      }
      #expect(outcomes.allSatisfy { $0.code == 0 }, "\(outcomes.map(\.errors))")
      let bytes = try [alone, three].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
      #expect(bytes[0] == bytes[1])
      return (alone, lines, outcomes[0])
    }
  }
}
