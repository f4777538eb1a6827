import Foundation
import Testing

/// Everything that starts the program: one test at a time, for each takes all cores.
@Suite(.serialized)
enum ProgramTests {}

/// The built program, started as a user would: alone or below mpirun, with what it said and how it ended.
struct Program {
  struct Outcome {
    var code: Int32
    var output: String
    var errors: String

    /// What stands behind the last `name: ` of the output.
    func value(of name: String) -> String? {
      output.split(separator: "\n").last { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    /// The last line of a result on the test data, such as `Test accuracy: 0.9`.
    var testLine: String? { output.split(separator: "\n").last { $0.hasPrefix("Test ") }.map(String.init) }

    var weightsDigest: String? { value(of: "weights digest") }

    /// What was said on standard error, but for what is waited for, which is said where that takes ten seconds: on a machine that has too
    /// much to do.
    var errorLines: [Substring] {
      errors.unicodeScalars.split(separator: "\n").map { Substring($0) }.filter { line in
        line.firstMatch(of: /^lockstep: (reading|evaluating|measuring|writing|making|starting|waiting) [^:;]*$/) == nil
      }
    }

    /// `errors` without two kinds of line, which are Open MPI's own. mpirun wakes a stopped rank to end it, and where that rank was to read
    /// a message out of the memory of one that has just ended, Open MPI says that it could not. The other is libevent's: at the end of a
    /// job mpirun has now and then closed a pipe for which one of its threads still waits.
    static func withoutLaunchersOwn(_ errors: String) -> String {
      let readOfTheGone = /(?m)^\[[^\n]+:\d+\] Read -1, expected \d+, errno = 3\n/
      let closedTooEarly = /(?m)^\[warn\] Epoll [^\n]+: Bad file descriptor\n/
      return errors.replacing(readOfTheGone, with: "").replacing(closedTooEarly, with: "")
    }
  }

  /// A program that has been started and not waited for.
  final class Running: @unchecked Sendable {
    let process = Process()
    fileprivate let output = Pipe()
    fileprivate let errors = Pipe()

    /// Returns once `isThere`, or once the program has ended.
    func waitUntil(_ isThere: () -> Bool) {
      while process.isRunning && !isThere() { Thread.sleep(forTimeInterval: 0.005) }
    }

    /// Returns once the run in `directory` has saved this step or a later one: an older checkpoint is there for a moment only.
    func waitForCheckpoint(ofStep step: Int, in directory: String) {
      let name = String(format: "step-%08d", step)
      waitUntil { Program.checkpoints(directory).contains { $0 > name } }
    }

    /// Waits for the end; a program that has not ended after `limit` seconds is killed and its code is −1: it hung.
    func wait(limit: Double = 120) -> Outcome {
      let texts = [output, errors].map { pipe in
        let text = Text()
        let thread = Thread {
          text.finish(String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
        }
        thread.start()
        return text
      }
      let deadline = Date(timeIntervalSinceNow: limit)
      while process.isRunning && Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
      let hung = process.isRunning
      if hung { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      let code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
      return Outcome(
        code: hung ? -1 : code, output: texts[0].value(), errors: Outcome.withoutLaunchersOwn(texts[1].value()))
    }

    /// The processes of the ranks, by their own rank numbers.
    func ranks() -> [Int: pid_t] {
      var found: [Int: pid_t] = [:]
      for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
        guard let pid = pid_t(name), let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
          let parent = stat.split(separator: ")").last?.split(separator: " ").dropFirst().first,
          parent == "\(process.processIdentifier)",
          let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
        else { continue }
        let rank = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
          .first { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") }?.split(separator: "=").last.flatMap { Int($0) }
        if let rank { found[rank] = pid }
      }
      return found
    }
  }

  /// Beside this test's own executable.
  static let path: String = {
    let mine = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: mine).deletingLastPathComponent().appendingPathComponent("lockstep").path
  }()

  private static let launcher = ["mpirun", "--quiet", "--mca", "opal_signal", "", "--oversubscribe"]

  /// Starts `arguments` on `ranks` ranks below mpirun, or without it where `ranks` is nil. With `others`, rank 0 gets `arguments`
  /// and the other ranks `others`, with `othersEnvironment` beside. With `directories`, rank 0 and the others start in one of their
  /// own. With `delay`, rank 0 is started so many seconds after the others. A `script` is run by the shell and starts "$@": for what
  /// is not text, and so can only be made there.
  static func start(
    _ arguments: [String], ranks: Int? = nil, others: [String]? = nil, delayingFirst delay: Double? = nil,
    directories: (first: String, others: String)? = nil, environment extra: [String: String] = [:],
    othersEnvironment: [String: String] = [:], script: String? = nil
  ) throws -> Running {
    let running = Running()
    let command =
      switch ranks {
      case nil: [path] + arguments
      case let ranks? where others == nil && delay == nil && directories == nil:
        launcher + ["-n", "\(ranks)", path] + arguments
      case let ranks?:
        launcher + ["-n", "1"] + (directories.map { ["--wdir", $0.first] } ?? [])
          + (delay.map { ["sh", "-c", "sleep \($0); exec \"$0\" \"$@\""] } ?? []) + [path]
          + arguments + [":", "-n", "\(ranks - 1)"]
          + (directories.map { ["--wdir", $0.others] } ?? []) + (othersEnvironment.isEmpty ? [] : ["env"])
          + othersEnvironment.map { "\($0)=\($1)" } + [path] + (others ?? arguments)
      }
    running.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    running.process.arguments = (script.map { ["sh", "-c", $0, "sh"] } ?? []) + command
    var environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("OMPI_") && !$0.key.hasPrefix("PMIX_")
    }
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    running.process.environment = environment.merging(extra) { $1 }
    running.process.standardOutput = running.output
    running.process.standardError = running.errors
    running.process.standardInput = FileHandle.nullDevice
    // A test runs on a thread of Dispatch, which has every signal blocked; mpirun would inherit that.
    var (all, kept) = (sigset_t(), sigset_t())
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_UNBLOCK, &all, &kept)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &kept, nil) }
    try running.process.run()
    return running
  }

  /// The names of the checkpoints of the run in `directory`, oldest first.
  static func checkpoints(_ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/checkpoints")) ?? [])
      .filter { $0.hasPrefix("step-") }.sorted()
  }

  /// Whether these processes end within seconds: those that mpirun kills outlive it by a moment.
  static func haveEnded(_ processes: some Collection<pid_t>) -> Bool {
    let deadline = Date(timeIntervalSinceNow: 5)
    while Date() < deadline {
      // One that nobody waits for any more stays in the table as a zombie.
      let alive = processes.filter { process in
        let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return stat?.split(separator: ")").last?.hasPrefix(" Z") == false
      }
      if alive.isEmpty { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  /// Starts and waits.
  static func run(
    _ arguments: [String], ranks: Int? = nil, others: [String]? = nil, delayingFirst delay: Double? = nil,
    directories: (first: String, others: String)? = nil, environment: [String: String] = [:],
    othersEnvironment: [String: String] = [:], script: String? = nil
  ) throws -> Outcome {
    try start(
      arguments, ranks: ranks, others: others, delayingFirst: delay, directories: directories, environment: environment,
      othersEnvironment: othersEnvironment, script: script
    ).wait()
  }
}

/// A text that a thread hands over.
private final class Text: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var text = ""

  func finish(_ text: String) {
    self.text = text
    done.signal()
  }

  func value() -> String {
    done.wait()
    return text
  }
}

/// A directory of its own, gone with the test.
final class ScratchDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lockstep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}
