import Foundation
import Fuzzing
import Lockstep
import Testing

extension ProgramTests {
  /// Checkpoints with right checksums and a content of the test's making, given to the program itself.
  @Suite(.serialized)
  struct ForgedCheckpointTests {
    @Test func eachIsRefusedOrGoneOnFrom() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let data = ["--data", scratch.file("data")]
      // Epochs of six steps.
      let train =
        ["train", "--model", "mlp:64-8-10", "--epochs", "3", "--global-batch", "32", "--microbatch", "4"] + data
      #expect(try Program.run(train + ["--max-steps", "8", "--run-dir", scratch.file("whole")]).code == 0)
      let whole = CheckpointStore(directory: scratch.file("whole/checkpoints")).path(step: 8)
      let forged = try ForgedCheckpoints(try CheckpointFile(whole), globalBatch: 32, steps: 6)
      let (path, run) = (scratch.file("forged.safetensors"), scratch.file("run"))
      let count = ForgedCheckpoints.count(usual: 1000) / 30
      var codes: [Int32: Int] = [:]
      for number in 0..<count {
        let kind = try forged.write(number, to: path)
        try? FileManager.default.removeItem(atPath: run)
        var outcomes = [
          try Program.run(train + ["--resume", path, "--run-dir", run], ranks: number % 8 == 0 ? 2 : nil)
        ]
        if number % 3 == 0 { outcomes.append(try Program.run(["evaluate", path] + data)) }
        for outcome in outcomes {
          let mayEnd: [Int32] = kind == .state ? [0, 64, 65] : [0, 64, 65, 70]
          #expect(mayEnd.contains(outcome.code), "\(number): \(outcome.code) \(outcome.errors)")
          let failures = outcome.errorLines.filter { !$0.hasPrefix("lockstep: warning: ") }
          #expect(failures.count == (outcome.code == 0 ? 0 : 1), "\(number): \(outcome.errors)")
          codes[outcome.code, default: 0] += 1
        }
      }
      let told = codes.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
      print("\(count) forged checkpoints by the program, by exit code: \(told)")
      #expect(codes[0, default: 0] > 0 && codes[65, default: 0] > 0)
    }
  }
}
