import Foundation
import Testing

extension ProgramTests {
  /// Flags from files and from the environment.
  @Suite(.serialized)
  struct ConfigurationTests {
    private static func write(_ text: String, _ scratch: ScratchDirectory) throws -> String {
      let file = scratch.file("flags.json")
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return file
    }

    /// A run's `config.json` as texts.
    private static func record(_ directory: String) throws -> [String: String] {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/config.json"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any]).mapValues { "\($0)" }
    }

    @Test func flagsWinOverVariablesAndTheseOverTheFile() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let file = try Self.write(
        """
        {"data": "\(scratch.file("data"))", "model": "mlp:64-8-10", "epochs": 4, "global_batch": 48, "seed": 3, "nesterov": true,
         "optimizer": "sgd", "momentum": "0.9", "shared-memory": false, "tensorboard": false, "learning-rate": 0.5, "warmup": null}
        """, scratch)
      let run = scratch.file("run")
      let outcome = try Program.run(
        ["train", "--config", file, "--epochs", "1", "--run-dir=\(run)"],
        environment: [
          "LOCKSTEP_EPOCHS": "2", "LOCKSTEP_SEED": "9", "LOCKSTEP_TENSORBOARD": "yes", "LOCKSTEP_CPU": "native",
        ])
      #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
      let record = try Self.record(run)
      #expect(record["epochs"] == "1" && record["seed"] == "9" && record["global_batch"] == "48")
      #expect(record["model"] == "mlp:64-8-10" && record["optimizer"] == "sgd" && record["learning_rate"] == "0.5")
      #expect(record["warmup"] == "0")
      let events = try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.contains("tfevents") }
      #expect(events.count == 1, "the variable won over the file")
    }

    /// The `config.json` of a run does it again, to the bit, and so does that of the run that it did.
    @Test func aRunIsDoneAgain() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let first = try Program.run(
        [
          "train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "3", "--clip-norm=0.5",
          "--augment", "shift:1", "--no-shared-memory", "--run-dir", scratch.file("0"),
        ], ranks: 2)
      #expect(first.code == 0, "\(first.errors)")
      for (number, ranks) in [(1, nil), (2, 3)] as [(Int, Int?)] {
        let again = try Program.run(
          ["train", "--config", scratch.file("\(number - 1)/config.json"), "--run-dir", scratch.file("\(number)")],
          ranks: ranks)
        #expect(again.code == 0 && again.weightsDigest == first.weightsDigest, "\(again.errors)")
      }
      let other = try Program.run([
        "train", "--config=\(scratch.file("2/config.json"))", "--seed", "1", "--run-dir", scratch.file("other"),
      ])
      #expect(other.code == 0 && other.weightsDigest != first.weightsDigest)
    }

    @Test func aFileMayBeYAML() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      for (name, text, code, words) in [
        (
          "flags.yaml",
          "data: \(scratch.file("data"))\nmodel: mlp:64-8-10\nepochs: 2 # not many\naugment: [shift:1, flip]", 0, nil
        ),
        ("flags.yml", "epochs: *many", 65, "flags.yml: line 1, column 9: an alias"),
        ("list.yaml", "- epochs", 65, "list.yaml: is no object of flags"),
        ("json.json", "epochs: 2", 65, "json.json: "),
      ] as [(String, String, Int32, String?)] {
        try text.write(toFile: scratch.file(name), atomically: true, encoding: .utf8)
        let outcome = try Program.run(["train", "--config", scratch.file(name), "--run-dir", scratch.file("run")])
        #expect(outcome.code == code && outcome.errorLines.count == (code == 0 ? 0 : 1), "\(outcome.errors)")
        if let words { #expect(outcome.errors.contains(words), "\(outcome.errors)") }
      }
      let record = try Self.record(scratch.file("run"))
      #expect(record["epochs"] == "2" && record["model"] == "mlp:64-8-10")
    }

    @Test func whatIsNoFlagIsOneLine() throws {
      let scratch = try ScratchDirectory()
      for (text, words) in [
        ("{\"epoch\": 3}", "\"epoch\" is no flag"), ("[1]", "no object"), ("{\"epochs\": 3", "flags.json"),
        ("{\"epochs\": true}", "\"epochs\" needs"), ("{\"epochs\": {}}", "\"epochs\" needs"),
        ("{\"nesterov\": 3}", "give true or false"), ("{\"config\": \"x\"}", "no flag"), ("", "flags.json"),
        ("{\"command\": [\"lockstep\", \"evaluate\"]}", "none of train"), ("{\"command\": [1]}", "no list of words"),
      ] {
        let outcome = try Program.run(["train", "--config", try Self.write(text, scratch)])
        #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(text): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(text): \(outcome.errors)")
      }
      let wrong = try Program.run(["train", "--config", try Self.write("{\"epochs\": \"many\"}", scratch)])
      #expect(wrong.code == 64 && wrong.errorLines.count == 1 && wrong.errors.contains("many"))
      let missing = try Program.run(["train", "--config", scratch.file("none.json")], ranks: 2)
      #expect(missing.code == 66 && missing.errorLines.count == 1, "\(missing.errors)")
    }
  }
}
