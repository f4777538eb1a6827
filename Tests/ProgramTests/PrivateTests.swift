import Foundation
import PeerPython
import Testing

extension ProgramTests {
  /// Private training, and what it costs.
  @Suite(.serialized)
  struct PrivateTests {
    private static func recipe(_ scratch: ScratchDirectory, _ name: String = "run") throws -> [String] {
      try SmallSet().write(to: scratch.file("data"))
      return [
        "train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "4", "--private",
        "--noise-multiplier",
        "1.1", "--run-dir", scratch.file(name),
      ]
    }

    private static func summary(_ scratch: ScratchDirectory, _ name: String = "run") throws -> [String: Any] {
      let data = try Data(contentsOf: URL(filePath: scratch.file("\(name)/summary.json")))
      let summary = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      return try #require(summary["privacy"] as? [String: Any])
    }

    @Test func aSeedMakesARunThatCanBeRepeated() throws {
      let scratch = try ScratchDirectory()
      var digests: Set<String?> = []
      for ranks in 1...4 {
        let outcome = try Program.run(try Self.recipe(scratch, "\(ranks)") + ["--seed", "5"], ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(outcome.weightsDigest)
        #expect(outcome.output.contains("not for those who know the seed"))
      }
      // Stopped inside the second epoch, and gone on with on other ranks.
      let stopped = try Program.run(
        try Self.recipe(scratch, "stopped") + ["--seed", "5", "--max-steps", "8"], ranks: 3)
      #expect(stopped.code == 0, "\(stopped.errors)")
      let resumed = try Program.run(try Self.recipe(scratch, "stopped") + ["--seed", "5"], ranks: 2)
      #expect(resumed.code == 0, "\(resumed.errors)")
      digests.insert(resumed.weightsDigest)
      #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
      let (whole, parts) = (try Self.summary(scratch, "1"), try Self.summary(scratch, "stopped"))
      #expect(whole as NSDictionary == parts as NSDictionary && whole["secret"] as? Bool == false)
    }

    /// Without a seed the noise is secret; the account is the same, and goes on where the run does.
    @Test func withoutASeedNobodyCanRepeatIt() throws {
      let scratch = try ScratchDirectory()
      let first = try Program.run(try Self.recipe(scratch, "1"), ranks: 2)
      let second = try Program.run(try Self.recipe(scratch, "2"), ranks: 2)
      #expect(first.code == 0 && second.code == 0, "\(first.errors) \(second.errors)")
      #expect(first.weightsDigest != second.weightsDigest && !first.output.contains("know the seed"))
      #expect(try Program.run(try Self.recipe(scratch, "3") + ["--max-steps", "8"]).code == 0)
      #expect(try Self.summary(scratch, "3")["steps"] as? Int == 8)
      let resumed = try Program.run(try Self.recipe(scratch, "3"), ranks: 3)
      #expect(resumed.code == 0 && resumed.output.contains("resumed after step 8"), "\(resumed.errors)")
      let spent = try Self.summary(scratch, "3")
      #expect(
        spent as NSDictionary == (try Self.summary(scratch, "1")) as NSDictionary && spent["secret"] as? Bool == true)
      // It is what `privacy` says of the same steps.
      let told = try Program.run([
        "privacy", "--sample-rate", "\(spent["sample_rate"] as? Double ?? 0)", "--noise-multiplier", "1.1", "--steps",
        "\(spent["steps"] as? Int ?? 0)", "--delta", "1e-5", "--json",
      ])
      let costs = try JSONDecoder().decode([String: Double].self, from: Data(told.output.utf8))
      #expect(costs["improved"] == spent["epsilon"] as? Double, "\(told.output) \(spent)")
      // Each epoch has its own.
      let lines = try String(contentsOfFile: scratch.file("1/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
      let epsilons = try lines.map {
        try JSONDecoder().decode([String: Double].self, from: Data($0.utf8))["epsilon"] ?? 0
      }
      #expect(epsilons.count == 4 && epsilons == epsilons.sorted() && epsilons.last == costs["improved"])
    }

    /// TensorFlow Privacy's and Opacus' published figures.
    @Test func costsThatWerePublished() throws {
      for (rate, noise, steps, classic, improved) in [
        (150.0 / 60000, 1.3, 6000, nil, 0.7242234026), (256.0 / 60000, 1.1, 14062, 3.01, nil),
      ] as [(Double, Double, Int, Double?, Double?)] {
        let outcome = try Program.run([
          "privacy", "--sample-rate", "\(rate)", "--noise-multiplier", "\(noise)", "--steps", "\(steps)", "--delta",
          "1e-5",
          "--json",
        ])
        let costs = try JSONDecoder().decode([String: Double].self, from: Data(outcome.output.utf8))
        #expect(Set(costs.keys) == ["classic", "improved", "pld"])
        if let classic { #expect(abs((costs["classic"] ?? 0) - classic) < 0.005, "\(costs)") }
        if let improved { #expect(abs((costs["improved"] ?? 0) - improved) < 1e-9, "\(costs)") }
        #expect((costs["pld"] ?? 9) < (costs["improved"] ?? 0), "\(costs)")
      }
    }

    @Test func whatIsWrongIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch)
      let cost = ["privacy", "--sample-rate", "0.1", "--noise-multiplier", "1", "--steps", "10", "--delta", "1e-5"]
      for (arguments, words) in [
        (train + ["--epsilon", "3"], "either --epsilon or --noise-multiplier"),
        (train.filter { !["--noise-multiplier", "1.1"].contains($0) }, "either --epsilon or --noise-multiplier"),
        (train.filter { $0 != "--private" }, "give --private"),
        (train + ["--noise-multiplier", "0"], "--noise-multiplier 0.0"),
        (train + ["--delta", "0.5"], "--delta 0.5"), (train + ["--augment", "mixup"], "mixup"),
        (train + ["--validation", "0.1", "--early-stopping", "2"], "--early-stopping"),
        (train + ["--validation", "0.1", "--save-best"], "--save-best"), (train + ["--lr-find"], "--steps"),
        (train + ["--clip-norm", "1"], "--clip-norm"), (train + ["--global-batch", "1000"], "--global-batch 1000"),
        (cost + ["--sample-rate", "1.5"], "1.5"), (cost + ["--steps=-1"], "-1"),
        (cost + ["--delta", "1"], "--delta 1.0"),
        (cost + ["--noise-multiplier", "nan"], "nan"),
      ] {
        let outcome = try Program.run(arguments)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
    }
  }
}
