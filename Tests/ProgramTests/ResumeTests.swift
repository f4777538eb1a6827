import Foundation
import Testing

extension ProgramTests {
  /// A job that was killed goes on where it was, on another number of ranks, to the same weights.
  @Suite(.serialized)
  struct ResumeTests {
    private static let recipe = [
      "train", "--epochs", "4", "--max-steps", "7000", "--checkpoint-every", "100steps",
    ]

    /// The digest of the run that nothing interrupts.
    private static let uninterrupted = Result {
      let scratch = try ScratchDirectory()
      return try Program.run(recipe + ["--run-dir", scratch.file("run")], ranks: 2).weightsDigest
    }

    @Test(arguments: [0, 1], [1, 3])
    func killedRankAtTwoAndResumed(_ victim: Int, _ ranksAfter: Int) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Program.start(Self.recipe + ["--run-dir", run], ranks: 2)
      // Mid-epoch, and past a few checkpoints of which the oldest are gone.
      job.waitForCheckpoint(ofStep: 500, in: run)
      let ranks = job.ranks()
      #expect(ranks.count == 2)
      kill(try #require(ranks[victim]), SIGKILL)
      #expect(job.wait(limit: 30).code == 128 + SIGKILL)
      #expect(Program.haveEnded(ranks.values), "a rank outlived its job")

      let resumed = try Program.run(Self.recipe + ["--run-dir", run], ranks: ranksAfter)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("resumed after step"))
      #expect(resumed.weightsDigest == (try Self.uninterrupted.get()))
    }

    /// Trains with `recipe`, which ends with `--run-dir`: once to the end on one rank; and on two, one of which is killed behind step 15, and
    /// then on three. Expects the same weights.
    private static func killAndResume(
      _ recipe: [String], in scratch: ScratchDirectory
    ) throws -> (whole: Program.Outcome, resumed: Program.Outcome) {
      let whole = try Program.run(recipe + [scratch.file("whole")], ranks: 1)
      let job = try Program.start(recipe + [scratch.file("run")], ranks: 2)
      job.waitForCheckpoint(ofStep: 15, in: scratch.file("run"))
      kill(try #require(job.ranks()[1]), SIGKILL)
      #expect(job.wait(limit: 30).code == 128 + SIGKILL)
      let resumed = try Program.run(recipe + [scratch.file("run")], ranks: 3)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("resumed after step"))
      #expect(resumed.weightsDigest == whole.weightsDigest && whole.weightsDigest != nil)
      return (whole, resumed)
    }

    /// With running averages, which no optimizer steps.
    @Test func aKilledResNetIsResumedAtThree() throws {
      let scratch = try ScratchDirectory()
      let recipe = [
        "train", "--model", "resnet", "--global-batch", "12", "--microbatch", "2", "--max-steps", "60",
        "--checkpoint-every", "5steps", "--run-dir",
      ]
      let (whole, resumed) = try Self.killAndResume(recipe, in: scratch)
      #expect(resumed.value(of: "Test accuracy") == whole.value(of: "Test accuracy"))
    }

    /// Another half of each image is hidden at every step; a vision transformer then begins with the weights.
    @Test func aKilledBERTIsResumedAtThreeAndFineTuned() throws {
      let scratch = try ScratchDirectory()
      try SmallSet(samples: 640).write(to: scratch.file("data"))
      let data = ["--data", scratch.file("data")]
      let recipe =
        ["train", "--model", "bert", "--max-steps", "200", "--checkpoint-every", "5steps", "--epochs", "20"] + data
        + ["--run-dir"]
      _ = try Self.killAndResume(recipe, in: scratch)

      let checkpoint = scratch.file("run/checkpoints/step-00000200.safetensors")
      let tuned = try Program.run(
        ["train", "--model", "vit", "--init-from", checkpoint, "--max-steps", "2", "--run-dir", scratch.file("vit")]
          + data, ranks: 2)
      #expect(tuned.code == 0, "\(tuned.errors)")
      #expect(
        tuned.output.contains(
          "78 of 80 parameters; not dense1.weights, which is not there; dense1.bias, which is not there"),
        "\(tuned.output)")
    }

    @Test func aFinishedRunIsNotRunAgain() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--max-steps", "30", "--run-dir", scratch.file("run")]
      let first = try Program.run(arguments)
      let second = try Program.run(arguments, ranks: 2)
      #expect(second.code == 0, "\(second.errors)")
      #expect(second.weightsDigest == first.weightsDigest)
      #expect(second.value(of: "Test accuracy") == first.value(of: "Test accuracy"))
    }

    /// A command that is given again and again names the same file each time, and must not begin there each time.
    @Test func aFurtherRunDirectoryWinsOverTheFile() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--checkpoint-every", "5steps", "--run-dir"]
      #expect(try Program.run(arguments + [scratch.file("first"), "--max-steps", "10"]).code == 0)
      let file = scratch.file("first/checkpoints/step-00000010.safetensors")
      let run = arguments + [scratch.file("run"), "--resume", file, "--max-steps"]
      for (steps, from) in [("20", 10), ("30", 20)] {
        let outcome = try Program.run(run + [steps], ranks: 2)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("resumed after step \(from)\n"), "\(outcome.output)")
        #expect(outcome.errorLines.count == (from == 20 ? 1 : 0), "\(outcome.errors)")
      }
      let whole = try Program.run(arguments + [scratch.file("whole"), "--max-steps", "30"])
      let resumed = try Program.run(run + ["30"])
      #expect(resumed.weightsDigest == whole.weightsDigest)
      // A run directory of another recipe is not gone on with, nor mixed with.
      let other = try Program.run(run + ["30", "--seed", "1"])
      #expect(other.code == 65)
      #expect(other.errorLines.count == 1)
    }

    @Test func aRunDoesNotGoBackwards() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--run-dir", scratch.file("run")]
      #expect(try Program.run(arguments + ["--epochs", "2"]).code == 0)
      let summary = try String(contentsOfFile: scratch.file("run/summary.json"), encoding: .utf8)
      for less in [["--epochs", "1"], ["--epochs", "2", "--max-steps", "3749"]] {
        for ranks in [nil, 3] {
          let outcome = try Program.run(arguments + less, ranks: ranks)
          #expect(outcome.code == 64, "\(outcome.errors)")
          #expect(outcome.errorLines.count == 1 && outcome.errors.contains("3750"), "\(outcome.errors)")
        }
      }
      #expect(try String(contentsOfFile: scratch.file("run/summary.json"), encoding: .utf8) == summary)
      let again = try Program.run(arguments + ["--epochs", "2"])
      #expect(again.code == 0)
      #expect(again.output.contains("nothing is left to train"))
    }

    /// An epoch has one line, whose figures are of all of it, to the bit, wherever it was interrupted.
    @Test func figuresOfAResumedEpochAreOfTheWholeEpoch() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--epochs", "1", "--run-dir"]
      func metrics(_ run: String) throws -> [[String: Any]] {
        try String(contentsOfFile: scratch.file("\(run)/metrics.jsonl"), encoding: .utf8).split(separator: "\n").map {
          try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
      }
      #expect(try Program.run(arguments + [scratch.file("whole")]).code == 0)
      let whole = try #require(try metrics("whole").first)
      #expect(whole["train_samples"] as? Int == 60_000)
      for (steps, ranks) in [("3", 1), ("700", 3)] {
        let run = "run-\(steps)"
        let part = try Program.run(arguments + [scratch.file(run), "--max-steps", steps], ranks: 2)
        #expect(part.code == 0, "\(part.errors)")
        #expect(try metrics(run).first?["train_samples"] as? Int == 32 * #require(Int(steps)))
        let rest = try Program.run(arguments + [scratch.file(run)], ranks: ranks)
        #expect(rest.code == 0, "\(rest.errors)")
        let lines = try metrics(run)
        #expect(lines.count == 1)
        for key in ["epoch", "step", "train_samples", "train_loss", "train_accuracy", "test_loss", "skipped_steps"] {
          #expect(lines[0][key] as? Double == whole[key] as? Double, "\(key)")
        }
      }
    }

    /// The same command several times a second, and at once: each run has a directory of its own.
    @Test func aDirectoryThatIsNotNamedIsAlwaysNew() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let arguments = ["train", "--data", "../data", "--max-steps", "3"]
      let script = "mkdir -p '\(scratch.path)/here' && cd '\(scratch.path)/here' && exec \"$@\""
      let jobs = try [nil, nil, 2].map { try Program.start(arguments, ranks: $0, script: script) }
      let outcomes = try jobs.map { $0.wait() } + (0..<3).map { _ in try Program.run(arguments, script: script) }
      for outcome in outcomes {
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(!outcome.output.contains("resumed") && outcome.weightsDigest == outcomes[0].weightsDigest)
      }
      let runs = try FileManager.default.contentsOfDirectory(atPath: scratch.file("here/runs"))
      #expect(runs.count == outcomes.count, "\(runs)")
      for run in runs { #expect(Program.checkpoints(scratch.file("here/runs/\(run)")).count == 1) }
    }

    @Test func theNewestThreeAreKept() throws {
      let scratch = try ScratchDirectory()
      let outcome = try Program.run(
        ["train", "--max-steps", "50", "--checkpoint-every", "10steps", "--run-dir", scratch.file("run")])
      #expect(outcome.code == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run/checkpoints")).sorted()
      #expect(names == [30, 40, 50].map { "step-000000\($0).safetensors" })
    }

    /// A constant step size may be trained with for longer; one that has fallen to nothing has not.
    @Test func moreEpochsOfAScheduleAreRefused() throws {
      let scratch = try ScratchDirectory()
      for (schedule, code) in [("constant", 0), ("linear", 65)] as [(String, Int32)] {
        let arguments = ["train", "--schedule", schedule, "--max-steps", "10", "--run-dir", scratch.file(schedule)]
        #expect(try Program.run(arguments + ["--epochs", "1"]).code == 0)
        let longer = try Program.run(arguments + ["--epochs", "2"])
        #expect(longer.code == code, "\(longer.errors)")
        if code != 0 { #expect(longer.errors.contains("1875 steps") && longer.errors.contains("3750 steps")) }
      }
    }

    @Test func anotherRecipeIsRefusedWithBothValues() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--max-steps", "10", "--run-dir", scratch.file("run")]
      #expect(try Program.run(arguments).code == 0)
      let other = try Program.run(arguments + ["--learning-rate", "0.01"], ranks: 2)
      #expect(other.code == 65)
      #expect(other.errorLines.count == 1)
      #expect(other.errors.contains("0.001") && other.errors.contains("0.01"))
      let anew = try Program.run(arguments + ["--resume", "never"])
      #expect(anew.code == 73)
      #expect(anew.errorLines.count == 1)
    }
  }
}
