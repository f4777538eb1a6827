import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// A job that is signalled ends after a checkpoint, or writes one and goes on; what was stopped goes on to the same weights.
  @Suite(.serialized)
  struct SignalTests {
    /// Seconds even on a fast machine with nothing else to do: mpirun takes one to hand TERM on.
    private static let recipe = [
      "train", "--model", "keras-convnet", "--global-batch", "64", "--epochs", "3", "--max-steps", "2600",
      "--checkpoint-every", "100epochs",
    ]

    /// The digest of the run that nothing interrupts.
    private static let uninterrupted = Result {
      let scratch = try ScratchDirectory()
      return try Program.run(recipe + ["--run-dir", scratch.file("run")], ranks: 2).weightsDigest
    }

    /// Starts the recipe and returns in the middle of its training: an epoch is over, and two are not.
    private static func started(_ run: String, ranks: Int?) throws -> Program.Running {
      let job = try Program.start(recipe + ["--run-dir", run], ranks: ranks)
      job.waitUntil { FileManager.default.fileExists(atPath: "\(run)/metrics.jsonl") }
      return job
    }

    private static func expectStopped(_ outcome: Program.Outcome, _ run: String) throws {
      #expect(outcome.code == 75, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("stopped by a signal at step "))
      #expect(outcome.errors.contains("run the same command again with --run-dir \(run) to go on"))
      #expect(Program.checkpoints(run).count == 1)
      #expect(!FileManager.default.fileExists(atPath: "\(run)/summary.json"), "a stopped run is not finished")
    }

    private static func expectTheSameEnd(_ run: String, ranks: Int?) throws {
      let resumed = try Program.run(recipe + ["--run-dir", run], ranks: ranks)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("resumed after step"))
      #expect(resumed.weightsDigest == (try uninterrupted.get()))
    }

    /// The signal that one rank gets, and USR1 that mpirun hands to all.
    @Test(arguments: [(SIGUSR1, nil), (SIGHUP, 1), (SIGTERM, 0)] as [(Int32, Int?)])
    func twoRanksStopAfterACheckpointAndGoOnAtThree(_ signal: Int32, _ rank: Int?) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Self.started(run, ranks: 2)
      let ranks = job.ranks()
      #expect(ranks.count == 2)
      kill(try rank.map { try #require(ranks[$0]) } ?? job.process.processIdentifier, signal)
      try Self.expectStopped(job.wait(limit: 30), run)
      #expect(Program.haveEnded(ranks.values), "a rank outlived its job")
      try Self.expectTheSameEnd(run, ranks: 3)
    }

    @Test(arguments: [SIGHUP, SIGINT])
    func aLoneProcessDoesAsWell(_ signal: Int32) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Self.started(run, ranks: nil)
      kill(job.process.processIdentifier, signal)
      try Self.expectStopped(job.wait(limit: 30), run)
      try Self.expectTheSameEnd(run, ranks: 2)
    }

    /// mpirun, when it is to end, gives its ranks TERM and two seconds; its own code is then 1, whatever the ranks'.
    @Test(arguments: [SIGTERM, SIGINT])
    func mpirunThatIsEndedLeavesACheckpoint(_ signal: Int32) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Self.started(run, ranks: 2)
      let ranks = job.ranks()
      kill(job.process.processIdentifier, signal)
      let outcome = job.wait(limit: 30)
      #expect(outcome.code == 1)
      #expect(outcome.errors.contains("stopped by a signal at step "), "\(outcome.errors)")
      #expect(Program.checkpoints(run).count == 1)
      #expect(Program.haveEnded(ranks.values), "a rank outlived its job")
      try Self.expectTheSameEnd(run, ranks: 1)
    }

    @Test(arguments: [nil, 1])
    func aCheckpointThatIsAskedForDoesNotStopTheRun(_ rank: Int?) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Self.started(run, ranks: 2)
      kill(try rank.map { try #require(job.ranks()[$0]) } ?? job.process.processIdentifier, SIGUSR2)
      let outcome = job.wait()
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.weightsDigest == (try Self.uninterrupted.get()))
      // The one that was asked for, once though both ranks were asked, and the last.
      let names = Program.checkpoints(run)
      #expect(names.count == 2 && names.last == "step-00002600.safetensors", "\(names)")
    }

    /// Two steps an epoch, and an evaluation of seconds: the checkpoint is there before its end, and the epoch's record after it.
    @Test(arguments: [0, 1])
    func inAnEvaluation(_ rank: Int) throws {
      let scratch = try ScratchDirectory()
      let (run, data) = (scratch.file("run"), scratch.file("data"))
      let mnist = try ImageDataset.directory(named: "mnist")
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      // Both of the training images: the test images are too few for an evaluation that is still going on when the signal comes.
      for (name, header, sample) in [("images-idx3", 16, 784), ("labels-idx1", 8, 1)] {
        let whole = try Data(contentsOf: URL(fileURLWithPath: "\(mnist)/train-\(name)-ubyte"), options: .alwaysMapped)
        for (set, count) in [("train", 64), ("t10k", 30_000)] {
          var part = whole.prefix(header + count * sample)
          part.replaceSubrange(4..<8, with: Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }))
          try part.write(to: URL(fileURLWithPath: "\(data)/\(set)-\(name)-ubyte"))
        }
      }
      let arguments = [
        "train", "--model", "pytorch-convnet", "--data", data, "--epochs", "2", "--checkpoint-every", "100epochs",
        "--run-dir",
        run,
      ]
      let job = try Program.start(arguments, ranks: 2)
      job.waitUntil { FileManager.default.fileExists(atPath: "\(run)/config.json") }
      // Two steps take milliseconds.
      Thread.sleep(forTimeInterval: 0.3)
      kill(try #require(job.ranks()[rank]), SIGUSR1)
      let outcome = job.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome.errors)")
      let names = Program.checkpoints(run)
      #expect(names == ["step-00000002.safetensors"])
      func written(_ name: String) throws -> Date {
        try #require(try FileManager.default.attributesOfItem(atPath: "\(run)/\(name)")[.modificationDate] as? Date)
      }
      let (saved, recorded) = (try written("checkpoints/\(names[0])"), try written("metrics.jsonl"))
      // A signal to rank 0 alone; what another is asked, it hears at the end.
      #expect(rank == 0 ? saved < recorded : saved > recorded)
      let resumed = try Program.run(arguments, ranks: 1)
      let whole = try Program.run(arguments.dropLast() + [scratch.file("whole")], ranks: 2)
      #expect(resumed.code == 0 && resumed.weightsDigest == whole.weightsDigest)
      for directory in [run, scratch.file("whole")] {
        #expect(
          try String(contentsOfFile: "\(directory)/metrics.jsonl", encoding: .utf8).split(separator: "\n").count == 2)
      }
    }

    @Test func theClockStopsARunTimeAndAgain() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      // Longer than a start and shorter than the run.
      let arguments = Self.recipe + ["--max-time", "00:00:02", "--run-dir", run]
      var parts = 0
      var outcome: Program.Outcome
      repeat {
        outcome = try Program.run(arguments, ranks: 2)
        parts += 1
        if outcome.code == 75 {
          #expect(outcome.errors.contains("stopped by --max-time at step "), "\(outcome.errors)")
        }
      } while outcome.code == 75 && parts < 100
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(parts > 1)
      #expect(outcome.weightsDigest == (try Self.uninterrupted.get()))
    }
  }
}
