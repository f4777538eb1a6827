import Foundation
import Testing

extension ProgramTests {
  /// A rank that no longer answers, and a job whose end is somebody else's doing. Tests/slow/endings has every case.
  @Suite(.serialized)
  struct StallTests {
    /// A job in the middle of its training, of two ranks that wait only seconds for each other.
    private final class Job {
      let scratch: ScratchDirectory
      let running: Program.Running
      let ranks: [Int: pid_t]

      init(_ more: [String] = [], warning: String = "3s", timeout: String = "4s") throws {
        scratch = try ScratchDirectory()
        let run = scratch.file("run")
        running = try Program.start(
          [
            "train", "--epochs", "100", "--checkpoint-every", "100steps", "--run-dir", run, "--stall-warning", warning,
            "--stall-timeout", timeout,
          ] + more, ranks: 2)
        running.waitForCheckpoint(ofStep: 200, in: run)
        ranks = running.ranks()
        try #require(ranks.count == 2)
      }
    }

    @Test(arguments: [(0, "lockstep"), (1, "lockstep"), (1, "mpi")])
    func aStoppedRankIsNamedAndEndsTheJob(_ victim: Int, _ reduction: String) throws {
      let job = try Job(["--reduction", reduction])
      kill(try #require(job.ranks[victim]), SIGSTOP)
      let outcome = job.running.wait(limit: 30)
      #expect(outcome.code == 70)
      let lines = outcome.errorLines
      try #require(lines.count == 2, "\(outcome.errors)")
      for line in lines {
        #expect(line.contains("rank \(victim) on "), "\(line)")
        // "in step 512 (gradients)", "after step 512 (report)", "in the checkpoint of step 512": where it is at that moment is chance.
        #expect(line.firstMatch(of: /is stopped (?:in|after) (?:[a-z]+ )*step \d+/) != nil, "\(line)")
      }
      #expect(Program.haveEnded(job.ranks.values), "a rank outlived its job")
    }

    @Test(arguments: [0, 1])
    func aKilledRankIsNamed(_ victim: Int) throws {
      let job = try Job()
      kill(try #require(job.ranks[victim]), SIGKILL)
      let outcome = job.running.wait(limit: 30)
      #expect(outcome.code == 128 + SIGKILL)
      try #require(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank \(victim) on "))
      #expect(Program.haveEnded(job.ranks.values), "a rank outlived its job")
    }

    @Test func noRankOutlivesMPIRun() throws {
      let job = try Job()
      kill(job.running.process.processIdentifier, SIGKILL)
      #expect(Program.haveEnded(job.ranks.values), "a rank outlived its job")
      _ = job.running.wait(limit: 30)
    }

    @Test func aJobThatIsSuspendedAsAWholeGoesOn() throws {
      let job = try Job(["--max-steps", "20000"])
      for rank in job.ranks.values { kill(rank, SIGSTOP) }
      Thread.sleep(forTimeInterval: 4)
      for rank in job.ranks.values { kill(rank, SIGCONT) }
      let outcome = job.running.wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.errors == "")
    }

    @Test(arguments: [
      (["--stall-warning", "5"], "--stall-warning"), (["--stall-timeout", "0s"], "--stall-timeout"),
      (["--stall-warning", "1h"], "--stall-timeout"),
    ])
    func aLimitThatCannotBeIsRefused(_ arguments: [String], _ word: String) throws {
      let outcome = try Program.run(["train"] + arguments, ranks: 2)
      #expect(outcome.code == 64)
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains(word), "\(outcome.errors)")
    }
  }
}
