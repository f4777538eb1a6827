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

    @Test func aFinishedRunIsNotRunAgain() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--max-steps", "30", "--run-dir", scratch.file("run")]
      let first = try Program.run(arguments)
      let second = try Program.run(arguments, ranks: 2)
      #expect(second.code == 0, "\(second.errors)")
      #expect(second.weightsDigest == first.weightsDigest)
      #expect(second.value(of: "Test accuracy") == first.value(of: "Test accuracy"))
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
