import Collectives
import Glibc
import Kernels
import Synchronization
import Tensors

/// A thread that sees to it that no rank waits for ever. It looks at the ranks of its host four times a second, names
/// the one that keeps the others waiting, and ends the job if that one does not go on.
///
/// It needs neither the rank nor MPI, so it works while either is stuck: in `MPI_Init`, or in a write to a disk that
/// does not answer. It also ends this process if the one that started it ends, mpirun or a host's daemon.
public final class Watchdog: Sendable {
  /// The facts of the job that a watchdog needs.
  public struct Job: Sendable {
    /// This process's rank.
    public var rank: Int
    /// The number of ranks.
    public var size: Int
    /// The number of ranks on this host.
    public var ranksHere: Int
    /// The name of this host.
    public var host: String
    /// The file of the ranks' board: the same for all ranks of this host, another in every job. nil if there can be
    /// none.
    public var board: String?

    /// A job with these facts.
    public init(rank: Int, size: Int, ranksHere: Int, host: String, board: String?) {
      self.rank = rank
      self.size = size
      self.ranksHere = ranksHere
      self.host = host
      self.board = board
    }
  }

  /// The exit code of a job that the watchdog ends: that of a failed rank.
  private static let code: Int32 = 70
  /// The time between two looks, in milliseconds.
  private static let interval: Int32 = 250

  private let job: Job
  var host: String { job.host }
  private let limits: StallDetector.Limits
  private let board: JobBoard
  private let atEveryLook: @Sendable () -> Void
  private let complain: @Sendable (String) -> Void
  private let parent = getppid()
  /// There until MPI is.
  private let startGuard = Mutex<StartGuard?>(nil)
  /// The code that all ranks have agreed to end with, after one of them has said why; 0 before.
  private let leaving = Atomic<Int32>(0)
  let heartbeat: Heartbeat
  /// The host of each rank; empty until it is known.
  let hosts = Mutex<[String]>([])

  /// Puts this rank on the board and starts the thread.
  ///
  /// - Parameters:
  ///   - atEveryLook: called by the thread, four times a second.
  ///   - complain: writes a line to standard error.
  public init(
    _ job: Job, limits: StallDetector.Limits, atEveryLook: @escaping @Sendable () -> Void = {},
    complain: @escaping @Sendable (String) -> Void
  ) {
    self.job = job
    self.limits = limits
    self.atEveryLook = atEveryLook
    self.complain = complain
    board = JobBoard(path: job.board, size: job.size)
    if let path = job.board, !board.isShared, job.rank == 0 {
      complain(
        "warning: \(path) cannot be written, so a rank that keeps the others waiting is not named; look for a full disk"
      )
    }
    heartbeat = board.heartbeat(of: job.rank)
    heartbeat.process = getpid()
    heartbeat.state = .running
    if job.ranksHere == job.size {
      let started = Launcher(parent)?.guardStart()
      startGuard.withLock { $0 = started }
    }
    startThread { self.watch() }
  }

  /// Notes that mpirun and the other ranks know this process.
  func hasJoined() {
    startGuard.withLock { guardian in
      guardian?.release()
      guardian = nil
    }
  }

  /// Notes that this rank is about to leave with `code`, and waits for the others to do so.
  public func leaves(code: Int32) {
    leaving.store(code, ordering: .relaxed)
    heartbeat.moved(to: .end, step: nil)
    heartbeat.wait = .blocked
  }

  /// Notes that this rank has left in order, or has said why it ends the job.
  public func hasLeft() { heartbeat.state = .left }

  /// Marks the job as ended. True if this rank is the first of its host to do so: it must say why.
  public func isFirstToEnd() -> Bool { board.end() }

  /// Ends every rank of the job by MPI, and this process after 3 s in any case: MPI's call does not return if mpirun is
  /// stopped.
  public func abort(code: Int32) -> Never {
    startThread {
      sleep(3)
      _exit(code)
    }
    // While it connects, the guard does it.
    if job.ranksHere == job.size && startGuard.withLock({ $0 == nil }) { Launcher(parent)?.endWithoutRanks() }
    if MPICommunicator.isRunning { MPICalls.abort(code: code) }
    _exit(code)
  }

  private func watch() {
    var detector = StallDetector(rank: job.rank, size: job.size, expected: job.ranksHere, limits: limits)
    var processes = Processes(parent: parent, count: job.size)
    var sightings: [StallDetector.Sighting] = []
    var last = ContinuousClock.now
    var over = Duration.zero
    while true {
      heartbeat.tick()
      atEveryLook()
      processes.wait(milliseconds: Self.interval)
      // Nobody is left to pass on a line.
      if processes.parentIsGone { _exit(Self.code) }
      let now = ContinuousClock.now
      let elapsed = now - last
      last = now
      if board.isOver {
        // The rank that has ended the job has three seconds to end this one, too.
        over += min(elapsed, .seconds(1))
        if over > .seconds(4) { _exit(Self.code) }
        continue
      }
      sightings.removeAll(keepingCapacity: true)
      for rank in 0..<job.size {
        let other = board.heartbeat(of: rank)
        sightings.append(other.sighting(isGone: rank != job.rank && processes.isGone(rank, other.process)))
      }
      switch detector.look(sightings, after: elapsed) {
      case .warn(let stall):
        complain("\(describe(stall)); the job ends after \(limits.timeout.components.seconds) s of it")
      case .goesOn(let stall): complain("rank \(stall.rank) on \(job.host) goes on")
      case .end(let stall): end(stall)
      case nil: break
      }
    }
  }

  private func end(_ stall: StallDetector.Stall) {
    guard heartbeat.state == .running, board.end() else { return }
    // After TERM, mpirun kills ranks that are about to leave. All is done and said then.
    let agreed = leaving.load(ordering: .relaxed)
    if stall.kind == .ended && agreed != 0 { abort(code: agreed) }
    complain(
      "\(describe(stall)): ending the job; run again with its \(Setting.directory) to go on from the last checkpoint")
    // mpirun has an exit code of its own for a rank that was killed or has exited. If it has not noticed within a
    // second, this process ends the job.
    if stall.kind == .ended { sleep(1) }
    abort(code: Self.code)
  }

  private func describe(_ stall: StallDetector.Stall) -> String {
    let who = "rank \(stall.rank) on \(job.host)"
    let time = "for \(stall.time.components.seconds) s"
    return switch stall.kind {
    case .ended: "\(who) was killed or has exited \(stall.whereabouts)"
    case .stopped: "\(who) is stopped \(stall.whereabouts), \(time)"
    case .hung: "\(who) does not move on \(stall.whereabouts), \(time)"
    case .notStarted: "rank \(stall.rank) has not started, \(time)"
    case .waits:
      "\(who) waits \(stall.whereabouts), \(time), for "
        + (stall.awaited.map { "rank \($0) on \(host(of: $0))" } ?? "the other ranks")
    }
  }

  private func host(of rank: Int) -> String {
    hosts.withLock { $0.indices.contains(rank) ? $0[rank] : "another host" }
  }
}
