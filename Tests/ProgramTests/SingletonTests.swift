import Foundation
import Testing

extension ProgramTests {
  /// Processes that a launcher started as several, without Open MPI's protocol, do not train each on its own.
  @Suite(.serialized)
  struct SingletonTests {
    private static let slurm = ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_PROCID": "0"]
    private static let step = slurm.merging(["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2"]) { $1 }

    private static func train(ranks: Int? = nil, _ environment: [String: String]) throws -> Program.Outcome {
      let scratch = try ScratchDirectory()
      return try Program.run(
        ["train", "--max-steps", "1", "--run-dir", scratch.file("run")], ranks: ranks, environment: environment)
    }

    @Test(arguments: [step, ["PMI_RANK": "0", "PMI_SIZE": "2"]])
    func oneOfSeveralIsRefused(_ environment: [String: String]) throws {
      let outcome = try Self.train(environment)
      #expect(outcome.code == 64)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("started 2 processes"), "\(outcome.errors)")
    }

    @Test func onlyTheFirstSpeaks() throws {
      let outcome = try Self.train(Self.step.merging(["SLURM_PROCID": "1"]) { $1 })
      #expect(outcome.code == 64)
      #expect(outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome.errors)")
    }

    /// The batch script itself, a step of one process, ranks of mpirun inside a step, and who says that it is meant.
    @Test func whatIsMeantTrains() throws {
      let single = Self.step.merging(["SLURM_STEP_NUM_TASKS": "1"]) { $1 }
      let meant = Self.step.merging(["LOCKSTEP_ALONE": "1"]) { $1 }
      for (environment, ranks) in [(Self.slurm, nil), (single, nil), (meant, nil), (["PMI_SIZE": "2"], 2)] {
        let outcome = try Self.train(ranks: ranks, environment)
        #expect(outcome.code == 0, "\(environment): \(outcome.errors)")
        #expect(outcome.output.contains(ranks == 2 ? "on 2 ranks;" : "on 1 rank;"), "\(outcome.output)")
      }
    }
  }
}
