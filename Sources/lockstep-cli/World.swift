import FoundationEssentials
import Glibc
import Lockstep

/// The ranks that this process is one of, and how it leaves them.
enum World {
  /// The variables by which a launcher tells a process its rank, and how many there are.
  private static let variables = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMIX_RANK", "PMIX_SIZE")]

  private static func launched(_ path: KeyPath<(String, String), String>) -> Int? {
    variables.lazy.compactMap { ProcessInfo.processInfo.environment[$0[keyPath: path]] }.first.flatMap { Int($0) }
  }

  /// Whether this rank is the one that speaks: known before MPI is, so that wrong arguments cost no start of it.
  static var isFirst: Bool { (launched(\.0) ?? 0) == 0 }

  /// All ranks of the job: over MPI below mpirun, else this process alone, without MPI.
  static func join() throws(TrainingError) -> any Communicator {
    guard launched(\.0) != nil else { return SoloCommunicator() }
    do throws(CommunicationError) {
      return try MPICommunicator()
    } catch {
      throw TrainingError(.rankFailed, error.description)
    }
  }

  /// Ends this process after everything is done or every rank has agreed on why not.
  static func leave(code: Int32) -> Never {
    fflush(nil)
    if MPICommunicator.isRunning { try? MPICommunicator.finish() }
    exit(code)
  }

  /// Ends this process over arguments that no rank can have understood.
  static func leave(usage line: String) -> Never {
    if isFirst { Terminal.complain(line) }
    leave(code: TrainingError.Code.usage.rawValue)
  }

  /// Ends this process over `error`: in order where all ranks have it, else by ending the other ranks too.
  static func leave(_ error: TrainingError) -> Never {
    guard MPICommunicator.isRunning, let rank = launched(\.0), launched(\.1) != 1, !error.isAgreed else {
      if isFirst { Terminal.complain(error.description) }
      leave(code: error.code.rawValue)
    }
    Terminal.complain("rank \(rank) on \(ProcessFacts.hostName): \(error)")
    MPICommunicator.abort(code: error.code.rawValue)
    exit(error.code.rawValue)
  }
}
