import FoundationEssentials
import Glibc
import Synchronization
import Tensors

/// Where rank 0's lines go.
public enum Terminal {
  /// Whether a person is looking: standard output is a terminal, here or where mpirun passes it on to.
  ///
  /// Open MPI gives every rank a pseudo-terminal whatever its own output is, so below mpirun it is mpirun's that counts;
  /// `LOCKSTEP_TERMINAL` (0 or 1) overrides both.
  public static var isInteractive: Bool {
    let environment = ProcessInfo.processInfo.environment
    if let forced = environment["LOCKSTEP_TERMINAL"] { return forced == "1" }
    // A terminal that cannot go back to a line's beginning gets lines, as a log does.
    guard let kind = environment["TERM"], !kind.isEmpty, kind != "dumb" else { return false }
    guard environment["OMPI_COMM_WORLD_RANK"] != nil else { return isatty(STDOUT_FILENO) == 1 }
    let output = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/fd/1")
    return output?.hasPrefix("/dev/pts/") == true || output?.hasPrefix("/dev/tty") == true
  }

  /// Opens those of the descriptors 0 to 2 that are closed on /dev/null: what is opened next would take their place, and lines meant for a
  /// person would land in a file of the run's. And makes a write to a pipe that nobody reads an error, instead of the end.
  public static func openStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      // The lowest number that is free, so this one.
      _ = unsafe open("/dev/null", O_RDWR)
    }
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Writes out what is waiting for standard output; false where that could not be written, now or earlier.
  public static func flush() -> Bool {
    if fflush(nil) != 0 { hasFailed.store(true, ordering: .relaxed) }
    return !hasFailed.load(ordering: .relaxed)
  }

  /// Whether something written to standard output was lost.
  private static let hasFailed = Atomic<Bool>(false)

  /// The columns of the terminal that a person sees, as they are now; nil where that is not known.
  static var columns: Int? {
    // Below mpirun, its terminal is the one, not the pseudo-terminal that it gives a rank.
    let isBelowMPI = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"] != nil
    let terminal =
      isBelowMPI ? unsafe open("/proc/\(getppid())/fd/1", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : STDOUT_FILENO
    guard terminal >= 0 else { return nil }
    defer { if isBelowMPI { close(terminal) } }
    var size = winsize()
    guard unsafe ioctl(terminal, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Writes `text` to standard output at once, without a line end of its own.
  static func write(_ text: String) {
    print(text, terminator: "")
    _ = flush()
  }

  /// Whether the last line on the terminal is one that is drawn over again and again.
  private static let isDrawn = Atomic<Bool>(false)

  /// Puts `line` in the place of the line that was drawn before it.
  static func draw(_ line: some StringProtocol) {
    write("\r\(line)\u{1B}[K")
    isDrawn.store(true, ordering: .relaxed)
  }

  /// Removes the line that was drawn last, if it is still there.
  static func clear() {
    if isDrawn.exchange(false, ordering: .relaxed) { write("\r\u{1B}[K") }
  }

  /// Writes `lockstep: line` to standard error at once: one line, whatever `line` carries, in the place of one that was drawn.
  public static func complain(_ line: String) {
    clear()
    var bytes = Array("lockstep: \(singleLine(line))\n".utf8)
    while !bytes.isEmpty {
      let written = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}
