import FoundationEssentials
import Tensors
import Training

/// Processes that a launcher started as ranks, but that do not know one another.
enum Singletons {
  /// Launchers that do not speak Open MPI's protocol, with the variables in which they give a process its rank and the
  /// number of ranks: Slurm's `srun` (its batch script lacks the second), and MPICH's and Intel's `mpiexec`.
  private static let launchers = [
    ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"), ("mpiexec", "PMI_RANK", "PMI_SIZE"),
  ]

  /// Throws with 64 in the first of several such processes, and ends the others without a word. Else each would train
  /// alone, and all would write the same files.
  static func refuse() throws {
    let environment = ProcessEnvironment.variables
    guard environment["LOCKSTEP_ALONE"] != "1" else { return }
    for (launcher, rank, size) in launchers {
      guard let size = environment[size].flatMap({ Int($0) }), size > 1 else { continue }
      guard environment[rank] == "0" else { World.leave(code: TrainingError.Code.usage.rawValue) }
      throw TrainingError(
        .usage,
        "\(launcher) started \(size) processes, but not through Open MPI, so each would be a job of one rank; start them with "
          + "mpirun inside the allocation, or srun --mpi=pmix; LOCKSTEP_ALONE=1 if \(size) separate runs are meant")
    }
  }
}
