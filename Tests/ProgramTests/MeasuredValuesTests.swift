import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// What the program finds out for the user: a learning rate, a batch, the noise of gradients; and what it refuses.
  @Suite(.serialized)
  struct MeasuredValuesTests {
    /// The values of a key in the lines of a run's `metrics.jsonl`.
    private static func metrics(_ key: String, in directory: String) throws -> [Double?] {
      try String(contentsOfFile: "\(directory)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
        let line = try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        return line[key] as? Double
      }
    }

    @Test(arguments: [
      ["--model", "article"], ["--model", "mlp:64-32-10", "--clip-norm", "0.5", "--no-shared-memory"],
    ])
    func theNoiseScaleIsTheSameOnAnyRanks(_ arguments: [String]) throws {
      let scratch = try ScratchDirectory()
      try SmallSet(samples: 512).write(to: scratch.file("data"))
      var norms: Set<[Double?]> = []
      var scales: Set<[Double?]> = []
      for ranks in [nil, 1, 2, 3, 4] {
        let run = scratch.file("run-\(ranks ?? 0)")
        let outcome = try Program.run(
          ["train", "--data", scratch.file("data"), "--epochs", "2", "--run-dir", run] + arguments, ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        norms.insert(try Self.metrics("gradient_norm", in: run))
        scales.insert(try Self.metrics("gradient_noise_scale", in: run))
      }
      #expect(norms.count == 1 && norms.first?.allSatisfy { $0 ?? 0 > 0 } == true, "\(norms)")
      #expect(scales.count == 1 && scales.first?.contains { $0 ?? 0 > 0 } == true, "\(scales)")
    }

    @Test func aLearningRateIsFoundOnAnyRanks() throws {
      let scratch = try ScratchDirectory()
      var outputs: Set<String> = []
      let arguments = [
        "train", "--lr-find", "--model", "mlp:784-32-10", "--subset", "1000", "--steps", "60", "--augment", "shift:1",
        "--optimizer", "sgd", "--momentum", "0.9", "--run-dir", scratch.file("run"),
      ]
      for ranks in [nil, 1, 3] {
        let outcome = try Program.run(arguments, ranks: ranks)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        outputs.insert(outcome.output)
      }
      let output = try #require(outputs.first)
      #expect(outputs.count == 1, "\(outputs)")
      let lines = output.split(separator: "\n")
      #expect(lines.first == "learning rate       loss" && (15...30).contains(lines.count), "\(output)")
      let suggestion = /suggested: --learning-rate ([0-9.e-]+), at which .*, or ([0-9.e-]+), a tenth/
      let match = try #require(lines.last?.firstMatch(of: suggestion), "\(output)")
      for rate in [match.1, match.2].compactMap({ Double($0) }) { #expect(rate > 1e-5 && rate < 10) }
      #expect(!FileManager.default.fileExists(atPath: scratch.file("run")), "a search left files")
    }

    @Test func aBatchIsFoundAndKept() throws {
      let scratch = try ScratchDirectory()
      let usual = ["train", "--model", "mlp:784-16-10", "--subset", "1000", "--epochs", "2"]
      for ranks in [nil, 1, 3] {
        let run = scratch.file("run-\(ranks ?? 0)")
        let first = try Program.run(
          usual + ["--global-batch", "auto", "--max-steps", "3", "--run-dir", run], ranks: ranks)
        #expect(first.code == 0 && first.errors.isEmpty, "\(first.errors)")
        let line = /global batch (\d+) in microbatches of (\d+), for [0-9,]+ samples\/s on \d ranks?/
        let found = try #require(first.output.firstMatch(of: line), "\(first.output)")
        // Goes on with these, on other ranks too, and as if they had been given.
        let second = try Program.run(
          usual + ["--global-batch", "auto", "--run-dir", run], ranks: ranks == 3 ? 1 : ranks)
        #expect(second.code == 0 && second.output.contains("resumed after step 3"), "\(second.errors)")
        #expect(
          second.output.hasPrefix("global batch \(found.1) in microbatches of \(found.2), as in the checkpoint\n"),
          "\(second.output)")
        let given = try Program.run(
          usual + [
            "--global-batch", "\(found.1)", "--microbatch", "\(found.2)", "--run-dir",
            scratch.file("given-\(ranks ?? 0)"),
          ])
        #expect(given.code == 0 && given.weightsDigest == second.weightsDigest, "\(given.errors)")
      }
      let other = try Program.run(
        usual + ["--global-batch", "auto", "--microbatch", "3", "--run-dir", scratch.file("run-1")])
      #expect(other.code == 65 && other.errors.contains("microbatch is "), "\(other.errors)")
    }

    @Test(arguments: [
      (["--steps", "100"], "--steps needs --lr-find"), (["--lr-find", "--steps", "5"], "--steps 5 is less than 20"),
      (["--lr-find", "--steps", "many"], "--steps"), (["--global-batch", "automatic"], "--global-batch"),
      (["--global-batch", "auto", "--microbatch", "0"], "--microbatch 0"),
      (["--global-batch", "auto", "--microbatch", "9223372036854775807"], "--microbatch"),
      (["--accumulate", "4"], "--accumulate: a step accumulates"), (["--accumulate=4"], "--microbatch"),
      (["--gradient-accumulation"], "--gradient-accumulation: a step"),
      (["--gradient_accumulation_steps", "8"], "--global-batch"),
    ])
    func valuesThatCannotBe(_ arguments: [String], _ words: String) throws {
      for ranks in [nil, 3] {
        let outcome = try Program.run(["train"] + arguments, ranks: ranks)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
    }

    /// Ranks that were asked for other things would wait for one another, or take one another's messages for their own.
    @Test func ranksAreAskedForTheSame() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--run-dir", scratch.file("run")]
      for (other, word) in [
        (["--lr-find"], "has lr_find 100 steps from 1e-07 to 10.0, but rank 0 has lr_find none"),
        (["--global-batch", "auto"], "has global_batch auto, but rank 0 has global_batch 32"),
        (["--validation", "0.1", "--save-best"], "validation"),
      ] {
        let outcome = try Program.run(arguments, ranks: 3, others: arguments + other)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(word) && outcome.errors.contains("rank 1"), "\(outcome.errors)")
      }
    }
  }
}
