import Foundation
import Lockstep
import PeerPython
import Testing

extension ProgramTests {
  /// The reports of a run for other programs: `--metrics csv`, `--prometheus`, `--log-format json`.
  @Suite(.serialized)
  struct RecordsTests {
    private static func recipe(_ scratch: ScratchDirectory) throws -> [String] {
      try SmallSet().write(to: scratch.file("data"))
      return ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--run-dir", scratch.file("run")]
    }

    private static func objects(_ lines: some StringProtocol) throws -> [[String: Any]] {
      try lines.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
      }
    }

    private static func metrics(_ scratch: ScratchDirectory) throws -> [[String: Any]] {
      try objects(String(contentsOfFile: scratch.file("run/metrics.jsonl"), encoding: .utf8))
    }

    /// The rows are the lines, also where the table is asked for late, and where the run is stopped within an epoch.
    @Test func aTableOfTheMetrics() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch)
      let table = ["--metrics", "csv"]
      for arguments in [
        ["--epochs", "2"], ["--epochs", "4", "--max-steps", "20"] + table, ["--epochs", "5"] + table,
      ] {
        #expect(try Program.run(train + arguments, ranks: 2).code == 0)
        guard arguments.contains("csv") else { continue }
        // Not by JSONSerialization, which misses the last bit of some numbers.
        let lines = try String(contentsOfFile: scratch.file("run/metrics.jsonl"), encoding: .utf8).split(
          separator: "\n"
        )
        .map { try JSONDecoder().decode([String: Double].self, from: Data($0.utf8)) }
        let text = try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8)
        let rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(text.hasSuffix("\n") && rows.count == lines.count + 1 && rows.allSatisfy { $0.count == rows[0].count })
        for (row, line) in zip(rows.dropFirst(), lines) {
          #expect(Set(line.keys).isSubset(of: rows[0].map(String.init)), "\(line)")
          for (name, cell) in zip(rows[0], row) { #expect(Double(cell) == line[String(name)], "\(name)") }
        }
      }
      #expect(try Self.metrics(scratch).compactMap { $0["epoch"] as? Int } == [1, 2, 3, 4, 5])
    }

    /// Prometheus' own parser reads the file, and its linter has nothing to say.
    @Test func aFileForPrometheus() throws {
      let scratch = try ScratchDirectory()
      // A directory's name that must be escaped.
      let (run, file) = (scratch.file("run \"of\" a\\b"), scratch.file("lockstep.prom"))
      let train = Array(try Self.recipe(scratch).dropLast()) + [run, "--prometheus", file, "--epochs", "2"]
      #expect(try Program.run(train).code == 0)
      if let promtool = try DebianProgram("promtool", package: "prometheus") {
        let checked = try promtool.run(["check", "metrics"], input: file)
        #expect(checked.status == 0 && checked.output.isEmpty, "\(checked.output)")
        // It can say something.
        try "lockstep_loss_total 1\n".write(toFile: scratch.file("bad.prom"), atomically: true, encoding: .utf8)
        #expect(try promtool.run(["check", "metrics"], input: scratch.file("bad.prom")).status != 0)
      }
      guard
        let python = try PeerPython(
          "prometheus-client", packages: ["prometheus-client"], modules: ["prometheus_client.parser"])
      else { return }
      let script = """
        import json, sys
        from prometheus_client.parser import text_string_to_metric_families
        run, file = sys.argv[1:]
        samples = [sample for family in text_string_to_metric_families(open(file).read()) for sample in family.samples]
        assert all(sample.labels == {"model": "mlp:64-8-10", "run_dir": run} for sample in samples), samples
        values = {sample.name.removeprefix("lockstep_"): sample.value for sample in samples}
        last = json.loads(open(run + "/metrics.jsonl").readlines()[-1])
        for key in ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "learning_rate"):
            assert values[key] == last[key], key
        assert values["steps_total"] == values["checkpoint_step"] == last["step"] == 12
        assert values["finished"] == 1 and values["epochs"] == 2 and values["epoch_samples_done"] == 192
        """
      let result = try python.run(["-c", script, run, file])
      #expect(result.status == 0, "\(result.output)")
    }

    /// While a run goes on, its file says so.
    @Test func theFileForPrometheusIsRenewed() throws {
      let scratch = try ScratchDirectory()
      let file = scratch.file("lockstep.prom")
      let job = try Program.start(
        try Self.recipe(scratch) + ["--prometheus", file, "--epochs", "100000000"], script: "exec \"$@\" >/dev/null")
      func steps() -> Int? {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.firstMatch(of: /\nlockstep_steps_total\{.*\} (\d+)/).flatMap { Int($0.1) }
      }
      var seen: Set<Int> = []
      job.waitUntil {
        if let steps = steps() { seen.insert(steps) }
        return seen.count > 3
      }
      job.process.terminate()
      #expect(job.wait(limit: 60).code == 75)
      #expect(seen.count > 3 && seen.allSatisfy { $0 % 6 == 0 }, "\(seen)")
      #expect(try String(contentsOfFile: file, encoding: .utf8).contains(/\nlockstep_finished\{.*\} 0/))
    }

    @Test func aFileForPrometheusThatCannotBeWritten() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--epochs", "1", "--prometheus", scratch.file("none/lockstep.prom")]
      let outcome = try Program.run(train)
      #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(try Program.run(Array(train.dropLast()) + [""]).code == 64)
    }

    @Test func quietSaysTheResultsAlone() throws {
      let scratch = try ScratchDirectory()
      let outcome = try Program.run(try Self.recipe(scratch) + ["--epochs", "2", "--quiet"], ranks: 2)
      #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
      let names = outcome.output.split(separator: "\n").map { $0.prefix { $0 != ":" } }
      #expect(names == ["weights digest", "Test accuracy"], "\(outcome.output)")
    }

    @Test func theVersionNamesWhatDecidesTheBits() throws {
      for ranks in [nil, 2] as [Int?] {
        let outcome = try Program.run(["--version"], ranks: ranks)
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 6 && lines[0] == "lockstep \(lockstepVersion)", "\(outcome.output)")
        #expect(lines[1].hasPrefix("MPI: Open MPI v") && lines[2].hasPrefix("BLAS: OpenBLAS"), "\(outcome.output)")
      }
    }

    /// Every line of standard error is an object, and standard output has the results alone.
    @Test func aLogOfObjects() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--log-format", "json"]
      let outcome = try Program.run(train + ["--epochs", "2"], ranks: 2)
      #expect(outcome.code == 0)
      let names = outcome.output.split(separator: "\n").map { $0.prefix { $0 != ":" } }
      #expect(names == ["weights digest", "Test accuracy"], "\(outcome.output)")
      let objects = try Self.objects(outcome.errors)
      let events = objects.compactMap { $0["event"] as? String }
      #expect(events == ["began", "epoch", "checkpoint", "epoch", "checkpoint", "ended"], "\(outcome.errors)")
      for object in objects {
        #expect(object["level"] as? String == "info")
        let time = try #require(object["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(time)")
      }
      let epochs = objects.filter { $0["event"] as? String == "epoch" }
      for (object, line) in zip(epochs, try Self.metrics(scratch)) {
        for (key, value) in line { #expect(object[key] as? Double == value as? Double, "\(key)") }
      }
      #expect(objects.last?["weights_digest"] as? String == outcome.weightsDigest)
    }

    /// Warnings, errors and stops are objects, too.
    @Test func whatGoesWrongIsAnObject() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--log-format", "json", "--epochs"]
      func last(_ outcome: Program.Outcome) throws -> [String: Any] {
        try #require(try Self.objects(outcome.errors).last)
      }
      let job = try Program.start(train + ["100000000"], ranks: 2, script: "exec \"$@\" 2>\"\(scratch.file("log"))\"")
      job.waitForCheckpoint(ofStep: 12, in: scratch.file("run"))
      kill(try #require(job.ranks()[0]), SIGUSR1)
      #expect(job.wait(limit: 60).code == 75)
      let stopped = try #require(
        try Self.objects(String(contentsOfFile: scratch.file("log"), encoding: .utf8)).last)
      #expect(stopped["event"] as? String == "stopped" && stopped["code"] as? Int == 75, "\(stopped)")
      #expect(stopped["level"] as? String == "info")
      let damaged = "\(scratch.file("run"))/checkpoints/\(try #require(Program.checkpoints(scratch.file("run")).last))"
      try Data("none".utf8).write(to: URL(filePath: damaged))
      let refused = try last(try Program.run(train + ["100000000", "--strict"]))
      #expect(refused["event"] as? String == "error" && refused["code"] as? Int == 65, "\(refused)")
      let missing = try last(try Program.run(["train", "--data", "/nowhere", "--log-format", "json"]))
      #expect(missing["level"] as? String == "error" && missing["code"] as? Int == 66, "\(missing)")
      let warned = try Self.objects(
        try Program.run(train + ["100000000", "--max-steps", "1000000", "--max-time", "1s"]).errors)
      let warning = try #require(warned.first { $0["level"] as? String == "warning" })
      #expect((warning["message"] as? String)?.contains("use another copy") == true, "\(warning)")
    }
  }
}
