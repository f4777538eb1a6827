import Glibc
import Tensors
import Training

/// The fence around the signals that ask something of a run. A handler does one atomic operation and nothing else.
enum Signals {
  /// The control that the signals ask.
  private static let control = RunControl.ofProcess

  /// Installs the handlers: USR1, TERM, INT and HUP stop the run after a checkpoint, USR2 asks for a checkpoint. If HUP
  /// was ignored at the start (nohup), it stays ignored.
  ///
  /// A second INT ends the process at once, for a run that does not reach its next step boundary. A second TERM does
  /// not: a batch system sends TERM to every process, and mpirun sends it again.
  static func askForCheckpoints() {
    // Initialised before a handler needs it.
    _ = control
    handle(SIGUSR1) { _ in Signals.control.ask(.stop) }
    handle(SIGTERM) { _ in Signals.control.ask(.stop) }
    handle(SIGINT, once: true) { _ in Signals.control.ask(.stop) }
    if !isIgnored(SIGHUP) { handle(SIGHUP) { _ in Signals.control.ask(.stop) } }
    handle(SIGUSR2) { _ in Signals.control.ask(.save) }
  }

  /// Removes the handlers, so that signals end the process. Returns whether one has asked for a stop before.
  static func setBack() -> Bool {
    for number in [SIGUSR1, SIGTERM, SIGINT, SIGUSR2] { _ = signal(number, SIG_DFL) }
    if !isIgnored(SIGHUP) { _ = signal(SIGHUP, SIG_DFL) }
    return control.isAskedToStop
  }

  /// The file that a launch script makes to ask for a stop, because a signal that comes before the handlers is lost.
  private static let stopFile = ProcessEnvironment.variables["LOCKSTEP_STOP_FILE"]

  /// Asks for a stop if the launch script has made its file.
  static func lookAtStopFile() {
    if let stopFile, unsafe access(stopFile, F_OK) == 0 { control.ask(.stop) }
  }

  /// Makes the file that tells the launch script that the run has stopped and said so: `….done` beside the one that
  /// asks.
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
    // System calls that the signal interrupts go on.
    action.sa_flags = SA_RESTART | (once ? Int32(truncatingIfNeeded: SA_RESETHAND) : 0)
    unsafe sigaction(signal, &action, nil)
    // The signal may be blocked by whoever started the program, such as a thread of Dispatch.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
