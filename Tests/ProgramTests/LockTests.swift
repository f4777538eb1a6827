import Foundation
import Testing

extension ProgramTests {
  /// Somebody removes the file `lock` of a run that is going on, and starts another job there.
  @Suite(.serialized)
  struct LockTests {
    @Test(arguments: [nil, 2], [[], ["--on-checkpoint-failure", "continue"]])
    func theFirstJobStopsWhenItsLockIsAnothers(_ ranks: Int?, _ arguments: [String]) throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let run = scratch.file("run")
      let train = [
        "train", "--data", scratch.file("data"), "--global-batch", "32", "--microbatch", "4", "--epochs", "100000000",
        "--checkpoint-every", "20steps", "--run-dir", run,
      ]
      // A pipe that nobody reads yet would hold up who writes to it.
      let script = "exec \"$@\" >/dev/null"
      let first = try Program.start(train + arguments, ranks: ranks, script: script)
      first.waitForCheckpoint(ofStep: 20, in: run)
      try FileManager.default.removeItem(atPath: "\(run)/lock")
      let second = try Program.start(train, script: script)
      let outcome = first.wait(limit: 60)
      #expect(outcome.code == 73, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("its file lock was removed or replaced"), "\(outcome.errors)")
      let steps = Program.checkpoints(run).last
      second.waitUntil { Program.checkpoints(run).last.map { $0 > steps ?? "" } ?? false }
      second.process.terminate()
      let stopped = second.wait(limit: 60)
      #expect(stopped.code == 75, "the second job did not have the directory for itself: \(stopped.errors)")
      // Every checkpoint is whole, and no epoch's line is there twice.
      let reached = try #require(stopped.errors.firstMatch(of: #/at step (\d+) /#).flatMap { Int($0.1) })
      let last = try Program.run(train + ["--strict", "--max-steps", "\(reached + 1)"])
      #expect(last.code == 0 && last.output.contains("resumed after step \(reached)"), "\(last.errors)")
      let epochs = try String(contentsOfFile: "\(run)/metrics.jsonl", encoding: .utf8).matches(of: /"epoch":(\d+)/)
        .map { Int($0.1) }
      #expect(epochs == Array(1...epochs.count), "\(epochs)")
    }
  }
}
