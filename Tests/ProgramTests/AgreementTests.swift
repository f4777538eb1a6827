import Foundation
import Testing

extension ProgramTests {
  /// Ranks that do not hold the same give no figures, or the figures of what rank 0 holds.
  @Suite(.serialized)
  struct AgreementTests {
    /// A run of `steps` steps that keeps all of its checkpoints, one after every step.
    private static func makeRun(_ directory: String, steps: Int) throws -> [String] {
      let outcome = try Program.run([
        "train", "--max-steps", "\(steps)", "--checkpoint-every", "1steps", "--keep", "100", "--run-dir", directory,
      ])
      #expect(outcome.code == 0, "\(outcome.errors)")
      return Program.checkpoints(directory).map { "\(directory)/checkpoints/\($0)" }
    }

    /// The lines of an evaluation's figures, without the name of the file.
    private static func figures(_ outcome: Program.Outcome) -> [Substring] {
      outcome.output.split(separator: "\n").filter { $0.hasPrefix("Test ") }
    }

    @Test func twoStepsOfOneRunAreRefused() throws {
      let scratch = try ScratchDirectory()
      let steps = try Self.makeRun(scratch.file("run"), steps: 2)
      let outcome = try Program.run(["evaluate", steps[0]], ranks: 2, others: ["evaluate", steps[1]])
      #expect(outcome.code == 64, "\(outcome.output)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }

    @Test func otherTestDataIsRefused() throws {
      let scratch = try ScratchDirectory()
      let steps = try Self.makeRun(scratch.file("run"), steps: 1)
      let outcome = try Program.run(
        ["evaluate", steps[0], "--data", "mnist"], ranks: 2,
        others: ["evaluate", steps[0], "--data", try scratch.otherData()])
      #expect(outcome.code == 64, "\(outcome.output) \(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }

    /// Each rank has a directory of its own, as hosts have with local disks.
    @Test func aCopyOfOneRankAloneIsNotReadByTheOthers() throws {
      let scratch = try ScratchDirectory()
      let steps = try Self.makeRun(scratch.file("run"), steps: 2)
      for (name, step) in [("first", 0), ("other", 1)] {
        try FileManager.default.createDirectory(atPath: scratch.file(name), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: steps[step], toPath: scratch.file("\(name)/weights"))
      }
      let alone = try Program.run(["evaluate", scratch.file("first/weights")])
      let together = try Program.run(
        ["evaluate", "weights"], ranks: 2, directories: (scratch.file("first"), scratch.file("other")))
      #expect(together.code == 0, "\(together.errors)")
      #expect(Self.figures(together) == Self.figures(alone))
      #expect(!Self.figures(alone).isEmpty)
    }

    /// A run saves a checkpoint every step, and removes the one before, while three ranks evaluate what is newest.
    @Test func aLiveRunGivesTheFiguresOfTheStepThatIsNamed() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let recipe = ["train", "--checkpoint-every", "1steps", "--epochs", "50", "--seed", "3"]
      let job = try Program.start(recipe + ["--keep", "1", "--run-dir", run])
      job.waitForCheckpoint(ofStep: 5, in: run)
      var seen: [(step: Int, figures: [Substring])] = []
      for _ in 0..<6 {
        let outcome = try Program.run(["evaluate", run], ranks: 3)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let step = try #require(outcome.output.firstMatch(of: /step (\d+)\n/).flatMap { Int($0.1) })
        seen.append((step, Self.figures(outcome)))
      }
      job.process.terminate()
      #expect(job.wait().code == 75)
      for (step, figures) in seen {
        let again = scratch.file("again-\(step)")
        #expect(try Program.run(recipe + ["--keep", "1", "--max-steps", "\(step)", "--run-dir", again]).code == 0)
        #expect(Self.figures(try Program.run(["evaluate", again])) == figures, "step \(step)")
      }
      print("evaluations of a live run on 3 ranks: \(seen.count), at steps \(seen.map(\.step))")
    }

    @Test func otherSizesOfABenchmarkAreRefused() throws {
      let outcome = try Program.start(
        ["bench", "allreduce", "--most", "1024"], ranks: 2, others: ["bench", "allreduce", "--most", "4096"]
      ).wait(limit: 60)
      #expect(outcome.code == 64, "\(outcome.output)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    }
  }
}
