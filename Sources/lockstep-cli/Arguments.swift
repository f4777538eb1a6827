import ArgumentParser
import FoundationEssentials
import Lockstep

/// The bytes of the program's arguments and environment. Swift makes another text of bytes that are not UTF-8, so the
/// name of a file would become that of another.
enum Arguments {
  /// The variables that name a file of every job. The last two follow from the first.
  private static let variables = ["TMPDIR", "PMIX_SERVER_TMPDIR", "LOCKSTEP_STOP_FILE"]

  /// Ends the program with 64 if an argument, or a variable that every command may use, is not UTF-8.
  static func refuseUnreadable() {
    // The first is the program's own name, which is not used.
    if let argument = words("cmdline").dropFirst().first(where: { !isReadable($0) }) {
      World.leave(usage: "the argument \(shown(argument)) is not UTF-8; give it, and what it names, another name")
    }
    do {
      for variable in variables { try requireReadable(variable) }
    } catch {
      World.leave(usage: "\(error)")
    }
  }

  /// Whether the command is one whose run a signal stops, after a checkpoint.
  static var isRun: Bool { command(of: [Train.self, Federate.self]) != nil }

  /// The command, if it is one of `commands`.
  private static func command(of commands: [any ParsableCommand.Type]) -> (any ParsableCommand.Type)? {
    commands.first { $0._commandName == CommandLine.arguments.dropFirst().first }
  }

  /// The flags by which other trainers ask for what microbatches are here.
  private static let accumulation = [
    "--accumulate", "--gradient-accumulation", "--gradient-accumulation-steps", "--accumulate-grad-batches",
  ]

  /// Ends the program with 64 and the reason if `lockstep train` is asked to accumulate gradients.
  static func refuseAccumulation() {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.first == Train._commandName else { return }
    let flags = arguments.compactMap { $0.split(separator: "=").first.map(String.init) }
    guard let flag = flags.first(where: { accumulation.contains($0.replacing("_", with: "-")) }) else { return }
    World.leave(
      usage: "\(flag): a step accumulates its microbatches' gradients already; give --global-batch the whole batch, "
        + "and --microbatch what fits into memory")
  }

  /// The program's arguments, behind its name, with those that a file and the environment add for a command that trains.
  static let configured = Result<[String], any Error> {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let environment = ProcessEnvironment.variables
    // To ask what flags there are takes milliseconds.
    guard let command = command(of: [Train.self, Federate.self, Audit.self]),
      ConfiguredArguments.mayAdd(to: arguments, environment)
    else { return arguments }
    return try [arguments[0]]
      + ConfiguredArguments(of: command, passingOver: command == Audit.self ? Audit.flagsOfRunsAlone : [])
      .expand(Array(arguments.dropFirst()), environment: environment)
  }

  /// The words of a command that does this run again in a new directory.
  static func command(ranks: Int) throws -> [String] {
    var words = ranks == 1 ? ["lockstep"] : ["mpirun", "-n", "\(ranks)", "lockstep"]
    var isValue = false
    for argument in try configured.get() {
      // Where the run's files go, and where it goes on from, is no part of what it is; the file's flags are there by themselves.
      let isPlace = ["--run-dir", "--resume", "--config"].contains { argument == $0 || argument.hasPrefix("\($0)=") }
      if !isPlace && !isValue { words.append(argument) }
      isValue = isPlace && !argument.contains("=")
    }
    return words
  }

  /// Throws with 64 if the variable's value is not UTF-8.
  static func requireReadable(_ variable: String) throws {
    let prefix = Array("\(variable)=".utf8)
    guard let word = words("environ").first(where: { $0.starts(with: prefix) }), !isReadable(word) else { return }
    throw TrainingError(
      .usage, "\(variable)=\(shown(word.dropFirst(prefix.count))) is not UTF-8; set \(variable) to another directory")
  }

  /// The words of a file in /proc/self, each of which ends with a zero.
  private static func words(_ name: String) -> [ArraySlice<UInt8>] {
    [UInt8](FileManager.default.contents(atPath: "/proc/self/\(name)") ?? Data()).split(separator: 0)
  }

  private static func isReadable(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  /// The first hundred bytes as a shell writes them: `$'a\xFF'`.
  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    let text = bytes.prefix(100).map { byte in
      let isPlain = (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "'")
      return isPlain
        ? String(Unicode.Scalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
    return "$'\(text.joined())\(bytes.count > 100 ? "…" : "")'"
  }
}
