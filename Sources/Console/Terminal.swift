import FoundationEssentials
import Glibc
import Synchronization
import Tensors

/// The terminal or log that rank 0 writes to.
public enum Terminal {
  /// Whether a person is looking: standard output is a terminal. Below mpirun it is mpirun's output that counts,
  /// because Open MPI gives every rank a pseudo-terminal. `LOCKSTEP_TERMINAL` (0 or 1) overrides both.
  public static var isInteractive: Bool {
    let environment = ProcessEnvironment.variables
    if let forced = environment["LOCKSTEP_TERMINAL"] { return forced == "1" }
    // A terminal that cannot go back to the beginning of a line gets lines, like a log.
    guard let kind = environment["TERM"], !kind.isEmpty, kind != "dumb" else { return false }
    guard environment["OMPI_COMM_WORLD_RANK"] != nil else { return isatty(STDOUT_FILENO) == 1 }
    let output = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/fd/1")
    return output?.hasPrefix("/dev/pts/") == true || output?.hasPrefix("/dev/tty") == true
  }

  /// Opens /dev/null on those of the descriptors 0 to 2 that are closed. Else the next file opened would take their
  /// place, and lines for people would land in it. Also makes a write to a pipe without a reader an error, instead of
  /// the process's end.
  public static func openStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      // Takes the lowest free number, which is this one.
      _ = unsafe open("/dev/null", O_RDWR)
    }
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Flushes standard output. Returns false if anything could not be written, now or earlier.
  public static func flush() -> Bool {
    if fflush(nil) != 0 { hasFailed.store(true, ordering: .relaxed) }
    return !hasFailed.load(ordering: .relaxed)
  }

  /// Whether output has been lost.
  private static let hasFailed = Atomic<Bool>(false)

  /// The present size of the person's terminal; nil if it is unknown.
  public static var size: (columns: Int, rows: Int)? {
    // Below mpirun the person sees mpirun's terminal, not the pseudo-terminal that it gives a rank.
    let isBelowMPI = ProcessEnvironment.variables["OMPI_COMM_WORLD_RANK"] != nil
    let terminal =
      isBelowMPI ? unsafe open("/proc/\(getppid())/fd/1", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : STDOUT_FILENO
    guard terminal >= 0 else { return nil }
    defer { if isBelowMPI { close(terminal) } }
    var size = winsize()
    guard unsafe ioctl(terminal, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Writes `text` to standard output at once, without a line break of its own.
  package static func write(_ text: String) {
    print(text, terminator: "")
    _ = flush()
  }

  /// Whether the last line on the terminal is one from ``draw(_:)``.
  private static let isDrawn = Atomic<Bool>(false)

  /// Draws `line` in the place of the one drawn before.
  package static func draw(_ line: some StringProtocol) {
    write("\r\(line)\u{1B}[K")
    isDrawn.store(true, ordering: .relaxed)
  }

  /// Removes the line that was drawn last, if it is still there.
  package static func clear() {
    if isDrawn.exchange(false, ordering: .relaxed) { write("\r\u{1B}[K") }
  }

  /// Draws `lines` as the whole screen, in the place of what was there.
  public static func drawPage(_ lines: [String]) {
    write("\u{1B}[H" + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J")
  }

  /// Waits for `seconds`, unless a signal comes.
  public static func pause(seconds: UInt32) { sleep(seconds) }

  private static let writesJSON = Atomic<Bool>(false)

  /// The form of the lines on standard error; text at first.
  public static var logFormat: LogFormat {
    get { writesJSON.load(ordering: .relaxed) ? .json : .text }
    set { writesJSON.store(newValue == .json, ordering: .relaxed) }
  }

  /// Writes `lockstep: line` to standard error at once, as one line whatever `line` holds, in the place of a drawn
  /// line.
  ///
  /// With ``LogFormat/json`` it is an object with `line` as its `message`. It is a warning if `line` begins so, else an error,
  /// but for a run that was stopped (`isStop`). `code` is the exit code, if the process ends with one because of it.
  public static func complain(_ line: String, code: Int32? = nil, isStop: Bool = false) {
    guard logFormat == .json else { return writeError("lockstep: \(singleLine(line))\n") }
    let warning = "warning: "
    let isWarning = line.hasPrefix(warning)
    let message = singleLine(isWarning ? String(line.dropFirst(warning.count)) : line)
    let level: LogLevel = isWarning ? .warning : isStop ? .info : .error
    log(
      level, isStop ? "stopped" : level.rawValue,
      [("code", code.map { .number("\($0)") }), ("message", .string(message))])
  }

  /// Writes a JSON object to standard error, as one line.
  package static func log(_ level: LogLevel, _ event: String, _ members: [(String, JSONValue?)]) {
    writeError(logLine(level, event, members) + "\n")
  }

  /// Writes `text` to standard error at once, in the place of a drawn line.
  private static func writeError(_ text: String) {
    clear()
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      let written = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}
