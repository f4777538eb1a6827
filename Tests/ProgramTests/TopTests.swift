import Foundation
import Testing

extension ProgramTests {
  /// `lockstep top`, and the file that it reads.
  @Suite(.serialized)
  struct TopTests {
    private static func recipe(_ scratch: ScratchDirectory, epochs: Int) throws -> [String] {
      try SmallSet().write(to: scratch.file("data"))
      return [
        "train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "\(epochs)", "--no-report",
        "--run-dir",
        scratch.file("run"),
      ]
    }

    private static func top(_ scratch: ScratchDirectory) throws -> Program.Outcome {
      try Program.start(["top", scratch.file("run")]).wait(limit: 20)
    }

    /// A run is watched while it goes on, after it was stopped, and at its end.
    @Test func aRunIsWatched() throws {
      let scratch = try ScratchDirectory()
      let running = try Program.start(try Self.recipe(scratch, epochs: 100_000), ranks: 2)
      var seen: Program.Outcome?
      for _ in 0..<300 where seen?.output.contains("rank 1 ") != true {
        Thread.sleep(forTimeInterval: 0.1)
        seen = try Self.top(scratch)
      }
      kill(running.process.processIdentifier, SIGUSR1)
      #expect(running.wait(limit: 60).code == 75)
      let live = try #require(seen)
      #expect(live.code == 0 && live.errors.isEmpty, "\(live)")
      let lines = live.output.split(separator: "\n")
      #expect(lines[0].hasPrefix("\(scratch.file("run")): mlp:64-8-10 on 2 ranks, process "))
      #expect(lines[1].hasPrefix("Epoch ") && lines[1].contains("/100000 "), "\(live.output)")
      #expect(live.output.contains("training loss ") && live.output.contains("rank 0 "))
      // mpirun does not wait until the processes of its ranks are gone.
      var stopped = try Self.top(scratch)
      for _ in 0..<100 where !stopped.output.contains("stopped: ") {
        Thread.sleep(forTimeInterval: 0.1)
        stopped = try Self.top(scratch)
      }
      #expect(stopped.code == 0 && stopped.output.contains("stopped: "), "\(stopped.output)")

      #expect(try Self.finishedRun(scratch).contains("\nfinished\n"))
    }

    /// A short run to its end, and what is seen of it then.
    private static func finishedRun(_ scratch: ScratchDirectory) throws -> String {
      try? FileManager.default.removeItem(atPath: scratch.file("run"))
      #expect(try Program.run(try recipe(scratch, epochs: 2)).code == 0)
      return try top(scratch).output
    }

    /// A status that cannot be written is not the run's fault: other files tell of that.
    @Test func aRunGoesOnWithoutItsStatus() throws {
      let scratch = try ScratchDirectory()
      let recipe = try Self.recipe(scratch, epochs: 2)
      let usual = try Program.run(recipe)
      try FileManager.default.removeItem(atPath: scratch.file("run"))
      let faults = try WriteFaults(scratch)
      for (call, number) in [("open", 1), ("write", 1), ("write", 2), ("close", 1), ("rename", 1), ("rename", 3)] {
        let outcome = try Program.run(recipe, environment: faults.environment(call, number, on: "status.json"))
        #expect(
          outcome.code == 0 && outcome.errors.isEmpty && outcome.weightsDigest == usual.weightsDigest,
          "\(call): \(outcome)")
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run"))
        #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(call): \(names)")
        #expect(try Self.top(scratch).output.contains("\nfinished\n"), "the next one is there")
        try FileManager.default.removeItem(atPath: scratch.file("run"))
      }
    }

    @Test func whatNoRunWroteIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let missing = try Self.top(scratch)
      #expect(missing.code == 66 && missing.errorLines.count == 1 && missing.errors.contains("status.json"))
      _ = try Self.finishedRun(scratch)
      let file = URL(fileURLWithPath: scratch.file("run/status.json"))
      let whole = try Data(contentsOf: file)
      let text = try #require(String(data: whole, encoding: .utf8))
      func changed(_ member: String, _ value: String) throws -> Data {
        Data(text.replacing(try Regex("\"\(member)\":[^,}]*"), with: "\"\(member)\":\(value)").utf8)
      }
      var files = [whole.dropLast(), Data()]
      for (member, value) in [
        ("samples_done", "-1"), ("samples_done", "193"), ("samples_in_epoch", "0"), ("host", "1"), ("host", "-1"),
        ("compute", "1e300"), ("compute", "-1"), ("waiting", "\"NaN\""), ("samples_per_second", "\"Infinity\""),
        ("time", "-1"),
        ("hosts", "[]"), ("step", "1e99"), ("epoch", "9223372036854775808"),
      ] { files.append(try changed(member, value)) }
      for (number, bytes) in files.enumerated() {
        try bytes.write(to: file)
        let outcome = try Self.top(scratch)
        #expect(outcome.code == 65 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(number): \(outcome)")
      }
      print("statuses that no run wrote: \(files.count) cases")
    }
  }
}
