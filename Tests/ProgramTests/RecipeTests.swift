import Foundation
import Testing

extension ProgramTests {
  /// `--recipe`: defaults, over which any flag wins.
  @Suite(.serialized)
  struct RecipeTests {
    private func record(_ arguments: [String]) throws -> [String: String] {
      let scratch = try ScratchDirectory()
      let outcome = try Program.run(["train", "--max-steps", "2", "--run-dir", scratch.file("run")] + arguments)
      #expect(outcome.code == 0, "\(outcome.errors)")
      let data = try Data(contentsOf: URL(fileURLWithPath: scratch.file("run/config.json")))
      var record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      // These two follow from the flags and the model.
      #expect(record.removeValue(forKey: "command") != nil && record.removeValue(forKey: "parameters") != nil)
      return record.mapValues { "\($0)" }
    }

    @Test func theArticlesIsTheDefault() throws {
      let record = try record([])
      #expect(try record == self.record(["--recipe", "article"]))
      #expect(record["model"] == "article" && record["epochs"] == "5" && record["global_batch"] == "32")
      #expect(record["schedule"] == "constant" && record["warmup"] == "0")
    }

    /// What fast is for; the mean of five seeds is 0.9911 (docs/benchmarks.md).
    @Test func fastReachesItsAccuracy() throws {
      let scratch = try ScratchDirectory()
      let run = try Program.start(["train", "--recipe", "fast", "--run-dir", scratch.file("run")])
      let outcome = run.wait(limit: 900)
      #expect(outcome.code == 0, "\(outcome.errors)")
      let accuracy = try #require(outcome.value(of: "Test accuracy").flatMap(Double.init))
      #expect(accuracy >= 0.9885)
    }

    @Test func flagsWin() throws {
      let fast = try record(["--recipe", "fast"])
      #expect(fast["model"] == "keras-convnet" && fast["schedule"] != "constant")
      for (flag, key, value) in [
        ("--model", "model", "article"), ("--epochs", "epochs", "7"), ("--global-batch", "global_batch", "48"),
        ("--schedule", "schedule", "constant"), ("--warmup", "warmup", "0"),
        ("--learning-rate", "learning_rate", "0.5"),
      ] {
        let changed = try record(["--recipe", "fast", flag, value])
        #expect(changed[key] == value && fast[key] != value, "\(flag)")
        // The microbatch follows from the batch.
        #expect(changed.keys.allSatisfy { $0 == key || $0 == "microbatch" || changed[$0] == fast[$0] }, "\(flag)")
      }
    }
  }
}
