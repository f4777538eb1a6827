import Glibc
import Lockstep

/// The C fence of signals: those that ask something of a run. A handler does one atomic operation and nothing else.
enum Signals {
  /// What the signals ask for.
  static let control = RunControl()

  /// USR1, TERM and INT stop the run after a checkpoint, USR2 asks for a checkpoint.
  ///
  /// A second INT ends the process at once, as it would without a handler: for a run whose next step boundary does not come. Not a
  /// second TERM: a batch system sends it to every process, and mpirun sends it again.
  static func askForCheckpoints() {
    // Made before a handler needs it.
    _ = control
    handle(SIGUSR1) { _ in Signals.control.ask(.stop) }
    handle(SIGTERM) { _ in Signals.control.ask(.stop) }
    handle(SIGINT, once: true) { _ in Signals.control.ask(.stop) }
    handle(SIGUSR2) { _ in Signals.control.ask(.save) }
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
