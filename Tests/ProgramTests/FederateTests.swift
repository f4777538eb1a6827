import Foundation
import Testing

extension ProgramTests {
  /// `lockstep federate`.
  @Suite(.serialized)
  struct FederateTests {
    /// Arguments of a run of a second or less: 12 clients, 4 of them a round.
    private static func arguments(_ scratch: ScratchDirectory, _ run: String = "run") throws -> [String] {
      try SmallSet(samples: 480).write(to: scratch.file("data"))
      return [
        "federate", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--clients", "12", "--client-fraction",
        "0.34",
        "--rounds", "4", "--local-epochs", "2", "--seed", "3", "--run-dir", scratch.file(run),
      ]
    }

    private static func summary(_ scratch: ScratchDirectory, _ run: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(filePath: scratch.file("\(run)/summary.json")))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(arguments: [
      ["--partition", "shards:2", "--strategy", "fedprox", "--mu", "0.1", "--stragglers", "0.5"],
      ["--partition", "dirichlet:0.3", "--strategy", "scaffold", "--dropouts", "0.3", "--subset", "300"],
      [
        "--private", "--noise-multiplier", "0.5", "--clip-quantile", "0.5", "--count-noise", "1", "--strategy",
        "fedadam",
      ],
      ["--secure-aggregation", "--dropouts", "0.33", "--rounds", "6", "--local-batch", "all"],
    ])
    func ranksAgree(_ flags: [String]) throws {
      let scratch = try ScratchDirectory()
      var digests: Set<String?> = []
      for ranks in 1...4 {
        let outcome = try Program.run(try Self.arguments(scratch, "\(ranks)") + flags, ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(outcome.weightsDigest)
      }
      let messages = try Program.run(
        try Self.arguments(scratch, "apart") + flags + ["--no-shared-memory"], ranks: 3)
      digests.insert(messages.weightsDigest)
      #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
      let (one, four) = (try Self.summary(scratch, "1"), try Self.summary(scratch, "4"))
      for key in ["federation", "test_loss", "privacy"] {
        #expect(one[key] as? NSObject == four[key] as? NSObject, "\(key)")
      }
    }

    /// Killed, and asked to stop, inside a round; gone on with on other ranks.
    @Test(arguments: [SIGKILL, SIGUSR1]) func aRunGoesOnAfterwards(_ signal: Int32) throws {
      let scratch = try ScratchDirectory()
      let more = ["--rounds", "30", "--local-epochs", "40", "--strategy", "scaffold", "--checkpoint-every", "2rounds"]
      let whole = try Program.run(try Self.arguments(scratch, "whole") + more)
      let job = try Program.start(try Self.arguments(scratch) + more, ranks: 2)
      job.waitForCheckpoint(ofStep: 6, in: scratch.file("run"))
      kill(try #require(job.ranks()[1]), signal)
      let stopped = job.wait(limit: 60)
      #expect(stopped.code == (signal == SIGKILL ? 128 + SIGKILL : 75), "\(stopped.errors)")
      if signal == SIGUSR1 { #expect(stopped.errorLines.count == 1 && stopped.errors.contains("after round")) }
      let resumed = try Program.run(try Self.arguments(scratch) + more, ranks: 3)
      #expect(resumed.code == 0 && resumed.output.contains("resumed after round"), "\(resumed.errors)")
      #expect(resumed.weightsDigest == whole.weightsDigest && whole.weightsDigest != nil)
      let lines = try String(contentsOfFile: scratch.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 30)
    }

    /// Each round has a line, and the files tell of the clients. `evaluate` measures the same model.
    @Test func itsFilesAreThoseOfARun() throws {
      let scratch = try ScratchDirectory()
      let outcome = try Program.run(
        try Self.arguments(scratch) + [
          "--evaluate-clients", "--dropouts", "0.3", "--update-clip", "0.5", "--metrics", "csv",
        ])
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("Round 4/4") && outcome.output.contains("12 clients: accuracy"))
      let lines = try String(contentsOfFile: scratch.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
      let figures = try lines.map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      #expect(figures.map { $0["epoch"] as? Int } == [1, 2, 3, 4])
      for line in figures {
        #expect((line["clients"] as? Int ?? 0) + (line["dropped"] as? Int ?? 0) == 4)
        #expect(line["update_clip"] as? Double == 0.5)
        #expect(line["client_accuracy"] is Double && line["client_accuracy_worst_tenth"] is Double)
      }
      let federation = try #require(try Self.summary(scratch, "run")["federation"] as? [String: Any])
      let accuracy = try #require(federation["accuracy"] as? [String: Double])
      #expect(Set(accuracy.keys) == ["mean", "standard_deviation", "worst_tenth", "best_tenth"])
      for name in ["report.html", "config.json", "metrics.csv"] {
        #expect(FileManager.default.fileExists(atPath: scratch.file("run/\(name)")))
      }
      let evaluated = try Program.run(["evaluate", scratch.file("run"), "--data", scratch.file("data")])
      #expect(evaluated.code == 0 && evaluated.testLine == outcome.testLine, "\(evaluated.errors)")
      let page = try String(contentsOfFile: scratch.file("run/report.html"), encoding: .utf8)
      #expect(page.contains("Seconds of each round") && !page.contains("Seconds of each epoch"))
      #expect(try Program.run(["card", scratch.file("run")]).code == 0)
      let card = try String(contentsOfFile: scratch.file("run/card.md"), encoding: .utf8)
      #expect(
        card.contains("Recipe: 4 rounds in batches of") && card.contains("Federated: client\\_fraction 0.34"), "\(card)"
      )
      // The recorded flags do the run again.
      let again = try Program.run([
        "federate", "--config", scratch.file("run/config.json"), "--run-dir", scratch.file("again"),
      ])
      #expect(again.weightsDigest == outcome.weightsDigest && again.weightsDigest != nil, "\(again.errors)")
    }

    /// A directory for each client, of different sizes.
    @Test func clientsHaveTheirOwnFiles() throws {
      let scratch = try ScratchDirectory()
      for (name, samples) in [("b", 40), ("a", 20), ("c", 60)] {
        try SmallSet(samples: samples).write(to: scratch.file("clients/\(name)"))
      }
      try Data().write(to: URL(filePath: scratch.file("clients/a-file-is-no-client")))
      let arguments = try Self.arguments(scratch).filter { $0 != "--clients" && $0 != "12" }
      let own = arguments + ["--client-data", scratch.file("clients"), "--client-fraction", "1"]
      let outcome = try Program.run(own, ranks: 2)
      #expect(outcome.code == 0 && outcome.output.contains("with 3 clients, given, 3 a round"), "\(outcome.errors)")
      #expect(outcome.output.contains("3 clients: accuracy"))
      for (flags, code, words) in [
        (["--client-data", scratch.file("nowhere")], 66, "nowhere"),
        (["--client-data", scratch.file("data")], 66, "no directories"),
        (["--client-data", scratch.file("clients"), "--partition", "iid"], 64, "--partition"),
        (["--client-data", scratch.file("clients"), "--subset", "10"], 64, "--subset"),
        (["--client-data", scratch.file("")], 65, "clients"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(arguments.filter { $0 != scratch.file("run") && $0 != "--run-dir" } + flags)
        #expect(outcome.code == code || (code == 65 && outcome.code == 66), "\(flags): \(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(outcome.errors)")
      }
    }

    /// A table's rows are spread over clients like images.
    @Test func tablesAreSpread() throws {
      let scratch = try ScratchDirectory()
      let rows = (0..<200).map { "\($0 % 17),\(Double($0 % 5) / 3),\($0 % 17 > 8 ? "yes" : "no")" }
      try (["a,b,c"] + rows).joined(separator: "\n").write(
        toFile: scratch.file("table.csv"), atomically: true, encoding: .utf8)
      let outcome = try Program.run(
        [
          "federate", "--data", scratch.file("table.csv"), "--duplicates", "keep", "--model", "mlp:2-8-1", "--clients",
          "8",
        ]
          + [
            "--partition", "dirichlet:0.5", "--client-fraction", "0.5", "--rounds", "8", "--run-dir",
            scratch.file("run"),
          ],
        ranks: 2)
      #expect(outcome.code == 0 && outcome.testLine != nil, "\(outcome.errors)")
    }

    @Test func whatIsWrongIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let federate = try Self.arguments(scratch)
      for (flags, words) in [
        (["--partition", "halves"], "halves"), (["--partition", "given"], "--client-data"),
        (["--clients", "0"], "--clients 0"), (["--clients", "481"], "--clients 481"),
        (["--client-fraction", "1.5"], "--client-fraction 1.5"), (["--rounds", "0"], "--rounds 0"),
        (["--local-batch", "0"], "--local-batch 0"), (["--local-batch", "some"], "some"), (["--mu", "1"], "--mu"),
        (["--tau", "1"], "--tau"), (["--strategy", "fedavg2"], "fedavg2"), (["--dropouts", "2"], "--dropouts 2"),
        (["--strategy", "scaffold", "--momentum", "0.9"], "--momentum"), (["--clip-rate", "1"], "--clip-quantile"),
        (["--epsilon", "3"], "give --private"), (["--private"], "--epsilon"), (["--trace", "1"], "--trace"),
        (["--private", "--epsilon", "3"], "--update-clip"), (["--checkpoint-every", "5steps"], "5steps"),
        (["--checkpoint-every", "1epoch"], "1epoch"), (["--learning-rate", "0"], "learning"),
        (["--private", "--epsilon", "3", "--update-clip", "1", "--delta", "0.1"], "--delta 0.1"),
        (["--partition", "shards:1000"], "shards"),
        (["--secure-aggregation", "--strategy", "scaffold"], "--secure-aggregation"),
        (["--test-fraction", "0.5"], "--test-fraction"),
      ] {
        let outcome = try Program.run(federate + flags)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(flags): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
      let many = try Program.run(federate, ranks: 5)
      #expect(many.code == 64 && many.errorLines.count == 1 && many.errors.contains("5 ranks"), "\(many.errors)")
      // Every rank leaves in order where one was asked for something else.
      let other = try Program.run(federate, ranks: 3, others: federate + ["--dropouts", "0.5"])
      #expect(other.code == 64 && other.errors.contains("dropouts"), "\(other.errors)")
      let broken = try Program.run(federate + ["--learning-rate", "1e30"], ranks: 2)
      #expect(broken.code == 70 && broken.errorLines.count == 1 && broken.errors.contains("client"), "\(broken.errors)")
      #expect(Program.checkpoints(scratch.file("run")).isEmpty)
    }
  }
}
