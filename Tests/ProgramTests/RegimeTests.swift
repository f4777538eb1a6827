import Foundation
import Testing

extension ProgramTests {
  /// Augmentation, parts of the data, averages, early stopping, and weights that are taken over: as flags.
  @Suite(.serialized)
  struct RegimeTests {
    private static func json(_ path: String) throws -> [String: Any] {
      try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    }

    private static func lines(_ path: String) throws -> [[String: Any]] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
    }

    /// Changed images and dropout: killed in an epoch, and gone on with on other ranks.
    @Test(arguments: [3])
    func killedAndResumedWithAugmentation(_ ranksAfter: Int) throws {
      let scratch = try ScratchDirectory()
      let arguments = [
        "train", "--model", "keras-convnet", "--augment", "shift:2,rotate:10,elastic,erase", "--ema", "0.99",
        "--subset", "32000", "--checkpoint-every", "100steps", "--epochs", "2", "--run-dir",
      ]
      let whole = try Program.run(arguments + [scratch.file("whole")], ranks: 4)
      #expect(whole.code == 0, "\(whole.errors)")
      let job = try Program.start(arguments + [scratch.file("run")], ranks: 2)
      job.waitForCheckpoint(ofStep: 500, in: scratch.file("run"))
      kill(try #require(job.ranks()[1]), SIGKILL)
      #expect(job.wait(limit: 30).code == 128 + SIGKILL)
      let resumed = try Program.run(arguments + [scratch.file("run")], ranks: ranksAfter)
      #expect(resumed.code == 0 && resumed.output.contains("resumed after step"), "\(resumed.errors)")
      #expect(resumed.weightsDigest == whole.weightsDigest)
      #expect(resumed.value(of: "averaged weights digest") == whole.value(of: "averaged weights digest"))
      #expect(whole.value(of: "averaged weights digest") != whole.weightsDigest)
      #expect(resumed.value(of: "Test accuracy") == whole.value(of: "Test accuracy"))

      let config = try Self.json(scratch.file("run/config.json"))
      #expect(config["augment"] as? String == "shift:2,rotate:10.0,elastic:34.0,erase:0.5")
      #expect(config["ema"] as? Double == 0.99 && config["validation"] == nil && config["freeze"] == nil)
      let evaluated = try Program.run(["evaluate", scratch.file("run")], ranks: 2)
      #expect(evaluated.output.contains("step 2000, averaged weights\n"))
      #expect(evaluated.value(of: "Test accuracy") == whole.value(of: "Test accuracy"))
      let other = try Program.run(
        ["train", "--model", "keras-convnet", "--subset", "32000", "--run-dir", scratch.file("run")])
      #expect(
        other.code == 65 && other.errorLines.count == 1 && other.errors.contains("augment is "), "\(other.errors)")
    }

    @Test func validationDataAreMeasuredAndTheTestDataOnce() throws {
      let scratch = try ScratchDirectory()
      let arguments = [
        "train", "--subset", "6000", "--validation", "0.1", "--early-stopping", "2", "--epochs", "4",
        "--scale-learning-rate", "sqrt", "--global-batch", "128", "--warmup", "10", "--run-dir",
      ]
      let outcome = try Program.run(arguments + [scratch.file("run")], ranks: 2)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("5400/5400"))
      #expect(
        outcome.output.contains("learning rate 0.002: 0.001 · √(128/32), reached after 10 steps\n"), "\(outcome.output)"
      )
      let epochs = try Self.lines(scratch.file("run/metrics.jsonl"))
      #expect(epochs.count == 4)
      for epoch in epochs {
        #expect(epoch["validation_loss"] is Double && epoch["validation_accuracy"] is Double)
        #expect(epoch["test_loss"] == nil && epoch["test_accuracy"] == nil)
      }
      let summary = try Self.json(scratch.file("run/summary.json"))
      #expect(summary["test_loss"] is Double && summary["test_accuracy"] is Double && summary["test_metrics"] != nil)
      #expect(summary["validation_loss"] as? Double == epochs.last?["validation_loss"] as? Double)
      #expect(summary["stopped_early"] as? Bool == false && summary["best_epoch"] is Int)
      let config = try Self.json(scratch.file("run/config.json"))
      #expect(config["subset"] as? Int == 6000 && config["validation"] as? Double == 0.1)
      #expect(config["early_stopping"] as? Int == 2 && config["scale_learning_rate"] as? String == "sqrt")
      #expect(config["learning_rate"] as? Double == 0.001 && config["scaled_learning_rate"] as? Double == 0.002)
    }

    @Test func theBestCheckpointIsEvaluated() throws {
      let scratch = try ScratchDirectory()
      // Labels that follow from nothing, so that the loss on what is set aside soon rises.
      try FileManager.default.createDirectory(atPath: scratch.file("data"), withIntermediateDirectories: true)
      for (part, count) in [("train", 84), ("t10k", 50)] {
        try SmallSet.file(
          [0, 0, 8, 3], [count, 8, 8], (0..<count * 64).map { UInt8(($0 * 2_654_435_761) >> 7 & 255) }
        )
        .write(to: URL(fileURLWithPath: scratch.file("data/\(part)-images-idx3-ubyte")))
        try SmallSet.file([0, 0, 8, 1], [count], (0..<count).map { UInt8($0 * 7 % 10) })
          .write(to: URL(fileURLWithPath: scratch.file("data/\(part)-labels-idx1-ubyte")))
      }
      let data = ["--data", scratch.file("data")]
      let arguments =
        ["train", "--model", "mlp:64-16-10", "--learning-rate", "0.01", "--validation", "0.25", "--epochs", "15"] + data
      let trained = try Program.run(
        arguments + ["--save-best", "--run-dir", scratch.file("run")], ranks: 2)
      #expect(trained.code == 0, "\(trained.errors)")
      let summary = try Self.json(scratch.file("run/summary.json"))
      let best = try #require(summary["best_step"] as? Int)
      let losses = try Self.lines(scratch.file("run/metrics.jsonl")).compactMap { $0["validation_loss"] as? Double }
      #expect(losses.count == 15 && summary["best_validation_loss"] as? Double == losses.min())
      #expect(best < summary["steps"] as? Int ?? 0, "the last epoch is the best one, and nothing is chosen")
      #expect(try Self.json(scratch.file("run/config.json"))["save_best"] as? Bool == true)
      let file = scratch.file(
        "run/checkpoints/step-\(String(repeating: "0", count: 8 - "\(best)".count))\(best).safetensors")
      let expected = try Program.run(["evaluate", file] + data)
      #expect(expected.code == 0, "\(expected.errors)")
      for ranks in [1, 3] {
        let found = try Program.run(["evaluate", scratch.file("run"), "--best"] + data, ranks: ranks)
        #expect(found.code == 0 && found.output == expected.output, "\(found.errors)")
      }
      let newest = try Program.run(["evaluate", scratch.file("run")] + data)
      #expect(newest.code == 0 && newest.output != expected.output)

      // Without a best epoch, of a file, and of nothing.
      let plain = try Program.run(arguments + ["--max-steps", "5", "--run-dir", scratch.file("plain")])
      #expect(plain.code == 0, "\(plain.errors)")
      for (path, code, word) in [
        (scratch.file("plain"), 64, "--save-best"), (file, 64, "is a checkpoint"), (scratch.file("none"), 66, "none"),
      ] as [(String, Int32, String)] {
        for ranks in [nil, 3] {
          let refused = try Program.run(["evaluate", path, "--best"] + data, ranks: ranks)
          #expect(refused.code == code && refused.errorLines.count == 1, "\(refused.errors)")
          #expect(refused.errors.contains(word), "\(refused.errors)")
        }
      }
      let other = try Program.run(
        ["evaluate", scratch.file("run")] + data, ranks: 2, others: ["evaluate", scratch.file("run"), "--best"] + data)
      #expect(other.code == 64 && other.errors.contains("best true"), "\(other.errors)")
    }

    /// Keras' mnist_transfer_cnn: digits 0 to 4, and then 5 to 9 by the same convolutions.
    @Test func convolutionsOfSomeDigitsServeOthers() throws {
      let scratch = try ScratchDirectory()
      let usual = ["train", "--model", "keras-convnet", "--epochs", "1", "--max-steps", "300"]
      let first = try Program.run(usual + ["--labels", "0-4", "--run-dir", scratch.file("first")], ranks: 2)
      #expect(first.code == 0, "\(first.errors)")
      let file = scratch.file("first/checkpoints/step-00000300.safetensors")
      let transfer = usual + ["--labels", "5-9", "--init-from", file, "--freeze", "convolution*", "--run-dir"]
      var digests: Set<String?> = []
      for ranks in [1, 3] {
        let second = try Program.run(transfer + [scratch.file("second-\(ranks)")], ranks: ranks)
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.output.contains("initialised from \(file): 6 of 6 parameters\n"), "\(second.output)")
        #expect(try #require(second.value(of: "Test accuracy").flatMap(Double.init)) > 0.9)
        digests.insert(second.weightsDigest)
      }
      #expect(digests.count == 1)
      let evaluated = try Program.run(["evaluate", scratch.file("second-1"), "--labels", "5-9"], ranks: 2)
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      let whole = try Program.run(["evaluate", scratch.file("second-1")])
      #expect(whole.code == 65 && whole.errorLines.count == 1, "\(whole.errors)")
    }

    @Test func filesAndPatternsThatDoNotFit() throws {
      let scratch = try ScratchDirectory()
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: scratch.file("three")))
      for (arguments, code, word) in [
        (["--init-from", "/nowhere.safetensors"], 66, "/nowhere"),
        (["--init-from", scratch.file("three")], 65, "three"),
        (["--freeze", "convolution9*"], 64, "--freeze \"convolution9*\""), (["--freeze", "*"], 64, "--freeze"),
        (["--labels", "10-12"], 65, "10 to 12"), (["--subset", "60001"], 64, "--subset 60001"),
        (["--validation", "0.000001"], 64, "--validation"), (["--augment", "shift:28"], 64, "--augment shift:28"),
      ] as [([String], Int32, String)] {
        for ranks in [nil, 3] {
          let outcome = try Program.run(["train", "--run-dir", scratch.file("run")] + arguments, ranks: ranks)
          #expect(outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.errors)")
          #expect(outcome.errors.contains(word), "\(arguments): \(outcome.errors)")
        }
      }
    }
  }
}
