import Checkpoints
import Collectives
import FoundationEssentials
import Glibc
import Kernels
import MPICollectives
import Reporting
import Synchronization
import Tensors
import Training

/// The ranks that this process is one of: how it joins them, and how it leaves them.
///
///     World.run { communicator in
///       try Trainer(recipe, training: training, test: test, on: communicator, observers: [ConsoleObserver()]).run()
///     }
public enum World {
  /// Runs `body` on every rank of the job, and ends the process. Below mpirun the ranks are those of MPI, else this process alone.
  ///
  /// The exit code is 0 where `body` returned, else that of the error (``TrainingError/init(_:)-(Error)``), which is one line. A rank that
  /// ends with an error that the others have not ends them too. USR1, TERM, INT and HUP stop a run after a checkpoint; USR2 asks for one.
  public static func run(
    _ limits: StallDetector.Limits = .init(), _ body: (any Communicator) throws -> Void
  ) -> Never {
    prepare(stopsRuns: true)
    do { try body(join(limits)) } catch { leave(TrainingError(error)) }
    leave(code: 0)
  }

  /// Makes the process ready, before anything else is done: its signals, its standard streams, its arithmetic. Ends it where it was built
  /// for another processor.
  public static func prepare(stopsRuns: Bool) {
    // First of all, for a signal can come at once.
    if stopsRuns { Signals.askForCheckpoints() }
    Terminal.openStandardStreams()
    useDefaultFloatingPoint()
    endingWithoutMemory.withLock { $0 = { leave(TrainingError(.rankFailed, $0)) } }
    let missing = ProcessFacts.missingFeatures(of: compiledFeatures)
    guard missing.isEmpty else {
      leave(
        TrainingError(
          .rankFailed,
          "this program was built for a processor with \(missing.joined(separator: " and ")), which "
            + "\(ProcessFacts.processorModel) on \(ProcessFacts.hostName) lacks; build with LOCKSTEP_CPU=x86-64-v2 or the "
            + "oldest processor's name"))
    }
    AtomicFile.reportFileSizeLimits()
  }

  /// The variables by which a launcher tells a process its rank, and how many there are.
  private static let variables = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMIX_RANK", "PMIX_SIZE")]

  /// What a launcher says of this process: its rank, and how many ranks there are if it says so.
  private typealias Place = (rank: Int, size: Int?)

  /// nil where there is no launcher; 64 where it says what cannot be.
  private static let launched = Result { try readPlace() }

  private static func readPlace() throws -> Place? {
    guard let rank = try number(\.0, least: 0) else { return nil }
    let size = try number(\.1, least: 1)
    if let size, rank >= size {
      throw TrainingError(.usage, "the environment names rank \(rank) of \(size) ranks; start the ranks with mpirun")
    }
    return (rank, size)
  }

  /// The number in the first of the variables at `path` that is set.
  private static func number(_ path: KeyPath<(String, String), String>, least: Int) throws -> Int? {
    for name in variables.map({ $0[keyPath: path] }) {
      guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { continue }
      guard let number = Int(text), (least...mostRanks).contains(number) else {
        throw TrainingError(
          .usage, "\(name)=\(quoted(text)) is not a number that a launcher gives; start ranks with mpirun, or unset it")
      }
      return number
    }
    return nil
  }

  /// No launcher starts more.
  private static let mostRanks = 1_000_000

  private static var place: Place? { if case .success(let place) = launched { place } else { nil } }

  /// Whether this rank is the one that speaks: known before MPI is, so that wrong arguments cost no start of it.
  public static var isFirst: Bool { (place?.rank ?? 0) == 0 }

  /// What sees that no rank waits for ever, once there are ranks.
  private static let watchdog = Mutex<Watchdog?>(nil)

  /// All ranks of the job: over MPI below mpirun, else this process alone, without MPI.
  public static func join(_ limits: StallDetector.Limits = .init()) throws -> any Communicator {
    guard let place = try launched.get() else {
      try Singletons.refuse()
      return SoloCommunicator()
    }
    let job = job(place)
    let needed = MPICommunicator.addressSpace(ranksHere: job.ranksHere)
    guard availableAddressSpace >= needed else {
      throw TrainingError(
        .rankFailed,
        "MPI takes \(megabytes(Double(needed))) of address space, of which \(megabytes(Double(availableAddressSpace))) are left; "
          + "raise the limit (ulimit -v), or do without mpirun")
    }
    let watchdog = Watchdog(job, limits: limits, atEveryLook: Signals.lookAtStopFile) { Terminal.complain($0) }
    Self.watchdog.withLock { $0 = watchdog }
    do {
      // The watchdog has the first word: it knows more than one rank's wait does.
      let communicator = try MPICommunicator(patience: limits.timeout + .seconds(30), watchdog: watchdog)
      if communicator.size == 1 && place.size ?? 1 > 1 { leaveAlone(place) }
      return communicator
    } catch {
      throw TrainingError(error)
    }
  }

  /// Ends a process that a launcher's variables call one of several ranks, and that MPI knows to be alone.
  private static func leaveAlone(_ place: Place) -> Never {
    Terminal.complain(
      "the environment names rank \(place.rank) of \(place.size ?? 1) ranks, but no mpirun started them; start them with mpirun, "
        + "or unset the variables OMPI_COMM_WORLD_RANK and PMIX_RANK")
    leave(code: TrainingError.Code.usage.rawValue)
  }

  private static func job(_ place: Place) -> Watchdog.Job {
    let environment = ProcessInfo.processInfo.environment
    let rank = place.rank
    let size = max(place.size ?? 0, rank + 1)
    // The launcher's directory for this job on this host goes with the job. Process ids mean something within one namespace of them,
    // and a directory may be an older job's that had the same name.
    let names = ["PMIX_NAMESPACE", "OMPI_MCA_orte_precondition_transports"].compactMap { environment[$0] }
    let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    let file = "lockstep-\((names + [namespace ?? ""]).joined(separator: "-"))"
    let directory = place.size == nil ? nil : environment["PMIX_SERVER_TMPDIR"]
    let ranksHere = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap { Int($0) }
    return Watchdog.Job(
      rank: rank, size: size, ranksHere: directory == nil ? 1 : min(max(ranksHere ?? 1, 1), size),
      host: ProcessFacts.hostName,
      board: directory.map { "\($0)/\(file)" })
  }

  /// Ends this process after everything is done or every rank has agreed on why not.
  public static func leave(code: Int32) -> Never {
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
  public static func leave(usage line: String) -> Never { leave(code: TrainingError.Code.usage.rawValue, saying: line) }

  /// Ends this process over `error`: in order where all ranks have it, else by ending the other ranks too.
  public static func leave(_ error: TrainingError) -> Never {
    guard let watchdog = watchdog.withLock({ $0 }), let place, place.size != 1, !error.isAgreed else {
      leave(code: error.code.rawValue, saying: error.description)
    }
    if watchdog.isFirstToEnd() { Terminal.complain("rank \(place.rank) on \(ProcessFacts.hostName): \(error)") }
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
