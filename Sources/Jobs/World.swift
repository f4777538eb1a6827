import Checkpoints
import Collectives
import Console
import FoundationEssentials
import Glibc
import Kernels
import MPICollectives
import Synchronization
import Tensors
import Training

/// The ranks of this process's job: joins them and leaves them.
///
///     World.run { communicator in
///       try Trainer(recipe, training: training, test: test, on: communicator, observers: [ConsoleObserver()]).run()
///     }
public enum World {
  /// Runs `body` on every rank of the job, then ends the process. Below mpirun the ranks are those of MPI, else this
  /// process alone.
  ///
  /// The exit code is 0 if `body` returns, else that of its error (``TrainingError/init(_:)-(Error)``), which is
  /// printed as one line. If only some ranks have an error, it ends the others too. USR1, TERM, INT and HUP stop a run
  /// after a checkpoint; USR2 asks for a checkpoint.
  public static func run(
    _ limits: StallDetector.Limits = .init(), _ body: (any Communicator) throws -> Void
  ) -> Never {
    prepare(stopsRuns: true)
    do { try body(join(limits)) } catch { leave(TrainingError(error)) }
    leave(code: 0)
  }

  /// Prepares the process: signals if `stopsRuns`, standard streams, arithmetic. Must be called first. Ends the process
  /// with 70 if the program was built for another processor.
  public static func prepare(stopsRuns: Bool) {
    // First of all, because a signal can come at once.
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

  /// The variables in which a launcher gives a process its rank and the number of ranks.
  private static let variables = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMIX_RANK", "PMIX_SIZE")]

  /// The rank of this process and, if the launcher gives it, the number of ranks.
  private typealias Place = (rank: Int, size: Int?)

  /// The place that the launcher gives; nil without a launcher. Fails with 64 if it is impossible.
  private static let launched = Result { try readPlace() }

  private static func readPlace() throws -> Place? {
    guard let rank = try number(\.0, least: 0) else { return nil }
    let size = try number(\.1, least: 1)
    if let size, rank >= size {
      throw TrainingError(.usage, "the environment names rank \(rank) of \(size) ranks; start the ranks with mpirun")
    }
    return (rank, size)
  }

  /// The number in the first variable at `path` that is set; nil if none is. Throws with 64 if it is less than `least`,
  /// too large, or no number.
  private static func number(_ path: KeyPath<(String, String), String>, least: Int) throws -> Int? {
    for name in variables.map({ $0[keyPath: path] }) {
      guard let text = ProcessEnvironment.variables[name], !text.isEmpty else { continue }
      guard let number = Int(text), (least...mostRanks).contains(number) else {
        throw TrainingError(
          .usage, "\(name)=\(quoted(text)) is not a number that a launcher gives; start ranks with mpirun, or unset it")
      }
      return number
    }
    return nil
  }

  /// More than any launcher starts.
  private static let mostRanks = 1_000_000

  private static var place: Place? { if case .success(let place) = launched { place } else { nil } }

  /// Whether this is rank 0, which speaks for all. Known without MPI, so that wrong arguments need no start of it.
  public static var isFirst: Bool { (place?.rank ?? 0) == 0 }

  /// The watchdog, once this process has joined ranks.
  private static let watchdog = Mutex<Watchdog?>(nil)

  /// All ranks of the job: over MPI below mpirun, else this process alone, without MPI.
  ///
  /// Throws ``TrainingError``: with 64 if the launcher's variables are wrong or its ranks do not know one another, with
  /// 70 if MPI does not start.
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
      // Longer than the watchdog's limit, because the watchdog knows more about a wait than one rank does.
      let communicator = try MPICommunicator(patience: limits.timeout + .seconds(30), watchdog: watchdog)
      if communicator.size == 1 && place.size ?? 1 > 1 { leaveAlone(place) }
      return communicator
    } catch {
      throw TrainingError(error)
    }
  }

  /// Ends a process that is one of several ranks by its variables, but alone by MPI.
  private static func leaveAlone(_ place: Place) -> Never {
    Terminal.complain(
      "the environment names rank \(place.rank) of \(place.size ?? 1) ranks, but no mpirun started them; start them with mpirun, "
        + "or unset the variables OMPI_COMM_WORLD_RANK and PMIX_RANK")
    leave(code: TrainingError.Code.usage.rawValue)
  }

  private static func job(_ place: Place) -> Watchdog.Job {
    let environment = ProcessEnvironment.variables
    let rank = place.rank
    let size = max(place.size ?? 0, rank + 1)
    // The launcher's directory for this job on this host goes with the job. Process ids are valid within one namespace,
    // and the directory may be that of an older job of the same name: so both names are part of the file's.
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

  /// Ends this process with `code`, once all is done or all ranks have agreed on an error. Waits for the other ranks.
  public static func leave(code: Int32) -> Never {
    var code = code
    Terminal.endWaits()
    if !Terminal.flush() && code == 0 {
      code = TrainingError.Code.cannotWrite.rawValue
      Terminal.complain("standard output could not be written; look for a full disk or a closed pipe", code: code)
    }
    let watchdog = watchdog.withLock { $0 }
    watchdog?.leaves(code: code)
    if MPICommunicator.isRunning { try? MPICommunicator.finish() }
    watchdog?.hasLeft()
    // Not `exit`: libraries may wait in it, OpenBLAS for a thread that had no memory to start.
    _exit(code)
  }

  /// Ends this process with 64 and `line`, because of arguments that no rank can understand.
  public static func leave(usage line: String) -> Never { leave(code: TrainingError.Code.usage.rawValue, saying: line) }

  /// Ends this process with `error`: in order if all ranks have it. Else ends the other ranks too.
  public static func leave(_ error: TrainingError) -> Never {
    guard let watchdog = watchdog.withLock({ $0 }), let place, place.size != 1, !error.isAgreed else {
      leave(code: error.code.rawValue, saying: error.description)
    }
    Terminal.endWaits()
    if watchdog.isFirstToEnd() {
      complain("rank \(place.rank) on \(ProcessFacts.hostName): \(error)", code: error.code.rawValue)
    }
    watchdog.hasLeft()
    watchdog.abort(code: error.code.rawValue)
  }

  /// Writes `line` to standard error, for which the process ends with `code`.
  private static func complain(_ line: String, code: Int32) {
    Terminal.complain(line, code: code, isStop: code == TrainingError.Code.stopped.rawValue)
  }

  /// Ends this process with `code`, as all ranks do, and `line`, which only one of them prints.
  private static func leave(code: Int32, saying line: String) -> Never {
    if isFirst {
      complain(line, code: code)
      if code == TrainingError.Code.stopped.rawValue { Signals.noteStopped() }
    } else if let rank = ProcessEnvironment.variables["OMPI_COMM_WORLD_RANK"].flatMap({ Int($0) }),
      !MPICommunicator.isRunning
    {
      // mpirun kills the other ranks as soon as one ends with a code, perhaps rank 0 before it has spoken. So every
      // rank waits, the higher ones longer. A rank that is still there after that has arguments that rank 0 has not,
      // and says so. Below srun each ends alone. The handlers go first, so that mpirun's TERM ends this rank in
      // silence.
      if !Signals.setBack() {
        usleep(UInt32(2_000_000 + 100_000 * min(rank, 20)))
        complain("rank \(rank) on \(ProcessFacts.hostName): \(line)", code: code)
      }
    }
    leave(code: code)
  }
}
