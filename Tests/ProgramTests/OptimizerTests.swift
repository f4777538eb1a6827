import Foundation
import Testing

extension ProgramTests {
  /// `--optimizer`: each trains, and goes on on other ranks.
  @Suite(.serialized)
  struct OptimizerTests {
    static let optimizers: [(flags: [String], name: String, settings: [String: String])] = [
      (["--optimizer", "adam"], "adam", [:]), (["--optimizer", "adamw"], "adamw", [:]),
      (["--optimizer", "adamw", "--weight-decay", "0.1"], "adamw", ["weight_decay": "0.1"]),
      (["--optimizer", "sgd"], "sgd", [:]),
      (
        ["--optimizer", "sgd", "--momentum", "0.9", "--nesterov", "--weight-decay", "0.0001"], "sgd",
        ["momentum": "0.9", "nesterov": "true", "weight_decay": "0.0001"]
      ),
    ]

    @Test(arguments: optimizers.indices)
    func eachTrainsAndGoesOnOnOtherRanks(_ index: Int) throws {
      let (flags, name, settings) = Self.optimizers[index]
      let scratch = try ScratchDirectory()
      let usual = ["train", "--epochs", "1"]
      let arguments = usual + flags + ["--run-dir"]
      let whole = try Program.run(arguments + [scratch.file("whole"), "--max-steps", "600"], ranks: 2)
      #expect(whole.code == 0, "\(whole.errors)")
      let accuracy = try #require(whole.value(of: "Test accuracy").flatMap(Double.init))
      #expect(accuracy > (name == "sgd" ? 0.85 : 0.93), "\(flags)")

      let first = try Program.run(arguments + [scratch.file("run"), "--max-steps", "300"], ranks: 3)
      #expect(first.code == 0, "\(first.errors)")
      let second = try Program.run(arguments + [scratch.file("run"), "--max-steps", "600"])
      #expect(second.code == 0 && second.output.contains("resumed after step 300\n"), "\(second.errors)")
      #expect(second.weightsDigest == whole.weightsDigest)

      let data = try Data(contentsOf: URL(fileURLWithPath: scratch.file("run/config.json")))
      let record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(record["optimizer"] as? String == name)
      #expect(record["optimizer_settings"] as? [String: String] == settings)
      #expect(record["learning_rate"] as? Double == (name == "sgd" ? 0.01 : 0.001))

      for other in Self.optimizers where other.name != name {
        let refused = try Program.run(usual + other.flags + ["--run-dir", scratch.file("run")])
        #expect(refused.code == 65 && refused.errorLines.count == 1, "\(refused.errors)")
        #expect(refused.errors.contains("optimizer is \(name) there and \(other.name) here"), "\(refused.errors)")
      }
    }

    /// The checkpoint names what the optimizer keeps.
    @Test func aCheckpointHoldsTheStateByName() throws {
      let scratch = try ScratchDirectory()
      for (flags, names) in [
        ([], ["m", "v"]), (["--optimizer", "adamw"], ["m", "v"]), (["--optimizer", "sgd"], []),
        (["--optimizer", "sgd", "--momentum", "0.5"], ["momentum"]),
      ] as [([String], [String])] {
        let run = scratch.file("run-\(flags.count)-\(names.count)")
        let trained = try Program.run(
          ["train", "--model", "mlp:784-10", "--max-steps", "3", "--run-dir", run] + flags, ranks: 2)
        #expect(trained.code == 0, "\(trained.errors)")
        let shown = try Program.run(["inspect", "\(run)/checkpoints/step-00000003.safetensors"])
        let tensors = shown.output.split(separator: "\n").filter { $0.hasPrefix("  optimizer.") }
          .map { $0.split(separator: " ")[0] }
        #expect(
          tensors.map(String.init).sorted()
            == names.flatMap { ["optimizer.\($0).dense1.bias", "optimizer.\($0).dense1.weights"] })
      }
    }
  }
}
