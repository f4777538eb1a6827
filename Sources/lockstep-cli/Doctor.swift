import ArgumentParser
import FoundationEssentials
import Kernels
import Lockstep

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Says what a job would run on: MPI, BLAS, processors, binding, data. Start it as you would start training.",
    discussion: "Example: mpirun -n 4 --hostfile hosts lockstep doctor")

  @OptionGroup var data: DataOptions

  func run() throws {
    let world = try joinedWorld()
    useOneBLASThread()
    let mine = [
      ProcessFacts.hostName, "\(KernelIdentity.current)", ProcessFacts.allowedProcessors, ProcessFacts.processorModel,
    ]
    let ranks = try world.gatherText(mine.joined(separator: "\0")).map {
      $0.split(separator: "\0", omittingEmptySubsequences: false).map { escaped(String($0), limit: 200) }
    }
    guard world.rank == 0 else { return }
    say("lockstep \(lockstepVersion), \(world.size) rank\(world.size == 1 ? "" : "s")")
    say("MPI: \(world is MPICommunicator ? VersionText.mpi : "not started: no mpirun above")")
    say("BLAS: \(blasConfiguration)")
    say("built for: \(VersionText.builtFor)")
    for (rank, facts) in ranks.enumerated() {
      say("rank \(rank): host \(facts[0]), kernels \(facts[1]), processors \(facts[2]), \(facts[3])")
    }
    if Set(ranks.map { $0[1] }).count > 1 {
      say("warning: the ranks' kernels differ: they cannot train together; see LOCKSTEP_CPU and OPENBLAS_CORETYPE")
    }
    for part in ImageDataset.Part.allCases {
      do {
        let dataset = try waiting(while: "reading \(data.data)") { try data.load(part) }
        say(
          "data \(data.data), \(part): \(dataset.count) images of \(dataset.rows)×\(dataset.columns), \(dataset.digest)"
        )
      } catch {
        say("data \(data.data), \(part): \(error)")
      }
    }
  }

  /// Prints `line` as one line, whatever texts of the system it holds.
  private func say(_ line: String) { Terminal.say(singleLine(line)) }
}
