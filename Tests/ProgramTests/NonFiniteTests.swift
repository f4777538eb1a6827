import Foundation
import Testing

extension ProgramTests {
  /// A run whose weights grow beyond all bounds ends with a line that says where, on all ranks, and saves none of it.
  @Suite(.serialized)
  struct NonFiniteTests {
    @Test(arguments: [[], ["--no-shared-memory"], ["--reduction", "mpi"]], [nil, 2, 3])
    func anUnboundedRunStops(_ how: [String], _ ranks: Int?) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let arguments = ["train", "--learning-rate", "1e38", "--checkpoint-every", "2steps", "--run-dir", run] + how
      let outcome = try Program.start(arguments, ranks: ranks).wait(limit: 30)
      #expect(outcome.code == 70, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("step 2: the loss is not finite, first in microbatch 0 on rank 0 on "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints").isEmpty)
    }

    @Test func onlySoManyStepsAreSkipped() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--learning-rate", "1e38", "--on-nonfinite", "skip", "--nonfinite-limit", "4"]
      let outcome = try Program.start(arguments + ["--run-dir", scratch.file("run")], ranks: 2).wait(limit: 30)
      #expect(outcome.code == 70, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 5 && outcome.errorLines.dropLast().allSatisfy { $0.contains("was skipped") })
      #expect(outcome.errorLines.last?.contains("--nonfinite-limit is 4") == true, "\(outcome.errors)")
    }
  }
}
