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

  /// What is on the terminal behind the last whole line. Held by whoever writes, so that no two lines mix.
  private struct Screen {
    /// Whether there is a line that was drawn.
    var isDrawn = false
    var waits = Waits()

    mutating func draw(_ line: String) {
      // A line that is wider than the terminal would leave its first part behind at each redraw. So would a line
      // without room for the terminal's `^C`.
      put("\r\(line.prefix(Terminal.size.map { max($0.columns - 3, 0) } ?? .max))\u{1B}[K")
      isDrawn = true
    }

    /// Removes the line that was drawn last, if it is still there.
    mutating func clear() {
      if isDrawn { put("\r\u{1B}[K") }
      isDrawn = false
    }

    func put(_ text: String) {
      print(text, terminator: "")
      _ = Terminal.flush()
    }
  }

  private static let screen = Mutex(Screen())

  /// Writes `text` to standard output at once, without a line break of its own, in the place of a drawn line.
  package static func write(_ text: String) {
    screen.withLock { screen in
      screen.clear()
      screen.put(text)
    }
  }

  /// Writes `line` and a line break to standard output at once. What is only printed waits in a file or a pipe until 4 kB are full: too long
  /// for whoever looks on.
  package static func say(_ line: String) { write(line + "\n") }

  /// Draws `line` in the place of the one drawn before, as much of it as the terminal is wide.
  package static func draw(_ line: String) { screen.withLock { $0.draw(line) } }

  /// Removes the line that was drawn last, if it is still there.
  package static func clear() { screen.withLock { $0.clear() } }

  /// Begins the wait of `line`.
  static func begin(_ line: WaitingLine, _ text: String, _ place: WaitingLine.Place) {
    screen.withLock { $0.waits.begin(ObjectIdentifier(line), text, place, at: .now) }
  }

  /// Ends the wait of `line`, and removes the line.
  static func end(_ line: WaitingLine) {
    screen.withLock { screen in
      if screen.waits.end(ObjectIdentifier(line)) { screen.clear() }
    }
  }

  /// Ends all waits, as before the process ends, and removes their line.
  package static func endWaits() {
    screen.withLock { screen in
      screen.clear()
      screen.waits = Waits()
    }
  }

  /// Shows the wait that goes on, if it is long enough. Returns when to look again; nil for not before another begins.
  static func showWait() -> ContinuousClock.Instant? {
    screen.withLock { screen in
      let now = ContinuousClock.now
      switch screen.waits.look(at: now) {
      case .draw(let line):
        screen.draw(line)
        return now + .seconds(1)
      case .print(let line, .errors):
        putError("lockstep: \(line)\n")
      case .print(let line, _):
        screen.clear()
        screen.put(line + "\n")
      case nil: break
      }
      return screen.waits.next(after: now)
    }
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
    let warning = "warning: "
    let isWarning = line.hasPrefix(warning)
    guard logFormat == .json else { return writeError("lockstep: \(singleLine(line))\n", endsWaits: !isWarning) }
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

  /// Writes `text` to standard error at once, in the place of a drawn line. If it `endsWaits`, none is drawn after it.
  private static func writeError(_ text: String, endsWaits: Bool = false) {
    // Whoever holds the screen may be stuck in a write that nobody reads. An error must come through all the same.
    for _ in 0..<100 {
      let isWritten: Void? = screen.withLockIfAvailable { screen in
        screen.clear()
        if endsWaits { screen.waits = Waits() }
        putError(text)
      }
      if isWritten != nil { return }
      usleep(10_000)
    }
    putError(text)
  }

  private static func putError(_ text: String) {
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      let written = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}
