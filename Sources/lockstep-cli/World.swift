import FoundationEssentials
import Glibc
import Lockstep
import Synchronization

/// The ranks that this process is one of, and how it leaves them.
enum World {
  /// The variables by which a launcher tells a process its rank, and how many there are.
  private static let variables = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMIX_RANK", "PMIX_SIZE")]

  private static func launched(_ path: KeyPath<(String, String), String>) -> Int? {
    variables.lazy.compactMap { ProcessInfo.processInfo.environment[$0[keyPath: path]] }.first.flatMap { Int($0) }
  }

  /// Whether this rank is the one that speaks: known before MPI is, so that wrong arguments cost no start of it.
  static var isFirst: Bool { (launched(\.0) ?? 0) == 0 }

  /// What sees that no rank waits for ever, once there are ranks.
  private static let watchdog = Mutex<Watchdog?>(nil)

  /// All ranks of the job: over MPI below mpirun, else this process alone, without MPI.
  static func join(_ limits: StallDetector.Limits = .init()) throws(TrainingError) -> any Communicator {
    guard let rank = launched(\.0) else {
      try Singletons.refuse()
      return SoloCommunicator()
    }
    let watchdog = Watchdog(job(rank), limits: limits, atEveryLook: Signals.lookAtStopFile) { Terminal.complain($0) }
    Self.watchdog.withLock { $0 = watchdog }
    do throws(CommunicationError) {
      // The watchdog has the first word: it knows more than one rank's wait does.
      return try MPICommunicator(patience: limits.timeout + .seconds(30), watchdog: watchdog)
    } catch {
      throw TrainingError(.rankFailed, error.description)
    }
  }

  private static func job(_ rank: Int) -> Watchdog.Job {
    let environment = ProcessInfo.processInfo.environment
    let size = max(launched(\.1) ?? 0, rank + 1)
    // The launcher's directory for this job on this host goes with the job. Process ids mean something within one namespace of them,
    // and a directory may be an older job's that had the same name.
    let names = ["PMIX_NAMESPACE", "OMPI_MCA_orte_precondition_transports"].compactMap { environment[$0] }
    let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    let file = "lockstep-\((names + [namespace ?? ""]).joined(separator: "-"))"
    let directory = launched(\.1) == nil ? nil : environment["PMIX_SERVER_TMPDIR"]
    let ranksHere = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap { Int($0) }
    return Watchdog.Job(
      rank: rank, size: size, ranksHere: directory == nil ? 1 : ranksHere ?? 1, host: ProcessFacts.hostName,
      board: directory.map { "\($0)/\(file)" })
  }

  /// Ends this process after everything is done or every rank has agreed on why not.
  static func leave(code: Int32) -> Never {
    var code = code
    if !Terminal.flush() && code == 0 {
      Terminal.complain("standard output could not be written; look for a full disk or a closed pipe")
      code = TrainingError.Code.cannotWrite.rawValue
    }
    let watchdog = watchdog.withLock { $0 }
    watchdog?.leaves(code: code)
    if MPICommunicator.isRunning { try? MPICommunicator.finish() }
    watchdog?.hasLeft()
    // What libraries do at a process' exit may wait: OpenBLAS for a thread that found no memory to start in. Nothing is left to do.
    _exit(code)
  }

  /// Ends this process over arguments that no rank can have understood.
  static func leave(usage line: String) -> Never { leave(code: TrainingError.Code.usage.rawValue, saying: line) }

  /// Ends this process over `error`: in order where all ranks have it, else by ending the other ranks too.
  static func leave(_ error: TrainingError) -> Never {
    guard let watchdog = watchdog.withLock({ $0 }), let rank = launched(\.0), launched(\.1) != 1, !error.isAgreed else {
      leave(code: error.code.rawValue, saying: error.description)
    }
    if watchdog.isFirstToEnd() { Terminal.complain("rank \(rank) on \(ProcessFacts.hostName): \(error)") }
    watchdog.hasLeft()
    watchdog.abort(code: error.code.rawValue)
  }

  /// Ends this process with a code that every rank ends with, and with the line that one of them says.
  private static func leave(code: Int32, saying line: String) -> Never {
    if isFirst {
      Terminal.complain(line)
      if code == TrainingError.Code.stopped.rawValue { Signals.noteStopped() }
    } else if let rank = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"].flatMap({ Int($0) }),
      !MPICommunicator.isRunning
    {
      // mpirun kills the other ranks when one ends with a code, the first before it has spoken if it is the slowest. So every rank
      // lets the lower ones go first. One that is still there then has arguments that the first has not. Below srun each ends alone.
      // mpirun's TERM is then no stop that a run would answer: it ends this rank, in silence.
      if !Signals.setBack() {
        usleep(UInt32(2_000_000 + 100_000 * min(rank, 20)))
        Terminal.complain("rank \(rank) on \(ProcessFacts.hostName): \(line)")
      }
    }
    leave(code: code)
  }
}
