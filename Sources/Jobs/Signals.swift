import Glibc
import Training

/// The C fence of signals: those that ask something of a run. A handler does one atomic operation and nothing else.
enum Signals {
  /// What the signals ask.
  private static let control = RunControl.ofProcess

  /// USR1, TERM, INT and HUP stop the run after a checkpoint, USR2 asks for a checkpoint. HUP that was ignored at the start
  /// (nohup) stays ignored.
  ///
  /// A second INT ends the process at once, as it would without a handler: for a run whose next step boundary does not come. Not a
  /// second TERM: a batch system sends it to every process, and mpirun sends it again.
  static func askForCheckpoints() {
    // Made before a handler needs it.
    _ = control
    handle(SIGUSR1) { _ in Signals.control.ask(.stop) }
    handle(SIGTERM) { _ in Signals.control.ask(.stop) }
    handle(SIGINT, once: true) { _ in Signals.control.ask(.stop) }
    if !isIgnored(SIGHUP) { handle(SIGHUP) { _ in Signals.control.ask(.stop) } }
    handle(SIGUSR2) { _ in Signals.control.ask(.save) }
  }

  /// Lets signals end the process as if they had never been asked for anything; returns whether one has asked for a stop before.
  static func setBack() -> Bool {
    for number in [SIGUSR1, SIGTERM, SIGINT, SIGUSR2] { _ = signal(number, SIG_DFL) }
    if !isIgnored(SIGHUP) { _ = signal(SIGHUP, SIG_DFL) }
    return control.isAskedToStop
  }

  /// The file by which a launch script asks for a stop, from before the program starts: a signal that comes so early is lost.
  private static let stopFile = unsafe getenv("LOCKSTEP_STOP_FILE").map { unsafe String(cString: $0) }

  /// Asks for a stop where the launch script does.
  static func lookAtStopFile() {
    if let stopFile, unsafe access(stopFile, F_OK) == 0 { control.ask(.stop) }
  }

  /// Tells the launch script that the stop has been done and said, by a file beside the one that asks.
  static func noteStopped() {
    guard let stopFile else { return }
    let file = unsafe open("\(stopFile).done", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    return unsafe sigaction(signal, nil, &action) == 0
      && unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  private static func handle(_ signal: Int32, once: Bool = false, _ handler: @escaping @convention(c) (Int32) -> Void) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    // A call of the system's that the signal interrupts is taken up again.
    action.sa_flags = SA_RESTART | (once ? Int32(truncatingIfNeeded: SA_RESETHAND) : 0)
    unsafe sigaction(signal, &action, nil)
    // Whoever started the program may have had it blocked, as a thread of Dispatch has.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
