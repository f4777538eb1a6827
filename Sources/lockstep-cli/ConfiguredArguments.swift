import ArgumentParser
import FoundationEssentials
import Lockstep
import YAML

/// The arguments of a command with those that a file and the environment add: flags win over variables, and these over the file.
///
/// A file (`--config FILE`) is a JSON object of flags without their hyphens, `{"epochs": 10, "global-batch": 256}`, or the `config.json` of a
/// run directory, of which the command counts; with a name that ends in `.yaml` or `.yml` it is the same in YAML. A variable is a flag in capitals, `LOCKSTEP_GLOBAL_BATCH=256`.
struct ConfiguredArguments {
  /// The flag that names the file.
  static let fileFlag = "config"

  /// The beginning of a variable's name.
  private static let variablePrefix = "LOCKSTEP_"

  /// The most bytes of a file.
  private static let mostBytes = 1 << 20

  /// The long names of the command's options, each with a value, and of its flags, without hyphens.
  private let options: Set<String>
  private let flags: Set<String>
  /// The command's name.
  private let name: String
  /// The names of arguments that are not taken from a run's command.
  private let passedOver: Set<String>

  /// The arguments that `command` knows. Of a run's command it does not take those in `passedOver`.
  init(of command: any ParsableCommand.Type, passingOver passedOver: Set<String> = []) {
    (name, self.passedOver) = (command._commandName, passedOver)
    let help = try? JSONValue(Array(command._dumpHelp().utf8))
    var (options, flags): (Set<String>, Set<String>) = ([], [])
    if case .array(let arguments) = help?["command"]?["arguments"] {
      for argument in arguments {
        guard case .array(let names) = argument["names"], case .string(let kind) = argument["kind"] else { continue }
        for name in names {
          guard name["kind"] == .string("long"), case .string(let text) = name["name"] else { continue }
          if kind == "flag" { flags.insert(text) } else { options.insert(text) }
        }
      }
    }
    self.options = options
    self.flags = flags.subtracting(["help", "version"])
  }

  /// Whether anything could be added to `arguments`.
  static func mayAdd(to arguments: [String], _ environment: [String: String]) -> Bool {
    arguments.contains { name($0) == fileFlag } || environment.keys.contains { $0.hasPrefix(variablePrefix) }
  }

  /// `arguments`, those behind the command's name, with what the file and `environment` add. Throws ``TrainingError``: 66 if the file is
  /// missing, 65 if it is wrong.
  func expand(_ arguments: [String], environment: [String: String]) throws -> [String] {
    var added: [String] = []
    var given = Set(arguments.compactMap(Self.name))
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(Self.variablePrefix) {
      let name = variable.dropFirst(Self.variablePrefix.count).lowercased().replacing("_", with: "-")
      guard name != Self.fileFlag, options.contains(name) || flags.contains(name), !isGiven(name, given) else {
        continue
      }
      added += try words(name, .string(text), in: variable)
      given.insert(name)
    }
    if let file = try file(arguments) {
      added += try read(file).filter { word in Self.name(word).map { !isGiven($0, given) } ?? true }
    }
    return added + arguments
  }

  /// The name of a long flag in `word`; nil if it is none.
  private static func name(_ word: String) -> String? {
    word.hasPrefix("--") ? word.dropFirst(2).split(separator: "=", maxSplits: 1).first.map(String.init) : nil
  }

  /// Whether a flag or its opposite is among `given`.
  private func isGiven(_ name: String, _ given: Set<String>) -> Bool {
    given.contains(name) || given.contains("no-\(name)")
      || (name.hasPrefix("no-") && given.contains(String(name.dropFirst(3))))
  }

  /// The file that the arguments name; nil if they name none.
  private func file(_ arguments: [String]) throws -> String? {
    guard let place = arguments.firstIndex(where: { Self.name($0) == Self.fileFlag }) else { return nil }
    if let end = arguments[place].firstIndex(of: "=") { return String(arguments[place][end...].dropFirst()) }
    return place + 1 < arguments.count ? arguments[place + 1] : nil
  }

  /// The arguments in `file`, each a word of its own.
  private func read(_ file: String) throws -> [String] {
    let bytes: [UInt8]
    do { bytes = try fileBytes(file, limit: Self.mostBytes) } catch { throw TrainingError(error) }
    let members: [JSONValue.Member]
    do {
      let isYAML = file.hasSuffix(".yaml") || file.hasSuffix(".yml")
      guard let found = try isYAML ? YAMLText(bytes).value.members : JSONValue(bytes).members else {
        throw TrainingError(.badData, "is no object of flags")
      }
      members = found
    } catch {
      throw TrainingError(.badData, "\(file): \(error)")
    }
    if case .array(let command) = members.first(where: { $0.key == "command" })?.value {
      return try self.recorded(command, in: file)
    }
    return try members.flatMap { try words($0.key.replacing("_", with: "-"), $0.value, in: file) }
  }

  /// The arguments of the command that a run directory's file holds, joined with their values.
  private func recorded(_ recorded: [JSONValue], in file: String) throws -> [String] {
    let words = try recorded.map { word -> String in
      guard case .string(let text) = word else {
        throw TrainingError(.badData, "\(file): its command is no list of words")
      }
      return text
    }
    let isAudit = name == Audit._commandName
    let wanted = isAudit ? Train._commandName : name
    guard let start = words.firstIndex(of: wanted) else {
      throw TrainingError(.badData, "\(file): its command is none of \(wanted)")
    }
    // An audit is of a recorded training, whose flags tell which words are values; it has not all of them, and takes those that it has.
    let takesValue = isAudit ? ConfiguredArguments(of: Train.self).options : options
    var joined: [String] = []
    for word in words[(start + 1)...] {
      if let last = joined.last, let name = Self.name(last), takesValue.contains(name), !last.contains("=") {
        joined[joined.count - 1] = "\(last)=\(word)"
      } else {
        joined.append(word)
      }
    }
    return joined.filter { word in
      Self.name(word).map { (options.contains($0) || flags.contains($0)) && !passedOver.contains($0) } ?? true
    }
  }

  /// The words for the flag `name` with `value`, which stands in `place`.
  private func words(_ name: String, _ value: JSONValue, in place: String) throws -> [String] {
    if flags.contains(name) {
      switch value {
      case .boolean(true), .string("1"), .string("true"), .string("yes"): return ["--\(name)"]
      case .boolean(false), .string("0"), .string("false"), .string("no"):
        return flags.contains("no-\(name)") ? ["--no-\(name)"] : []
      default: throw TrainingError(.badData, "\(place): \(quoted(name)) is \(quoted("\(value)")); give true or false")
      }
    }
    guard options.contains(name), name != Self.fileFlag else {
      throw TrainingError(
        .badData, "\(place): \(quoted(name)) is no flag of lockstep \(self.name); see its --help")
    }
    switch value {
    case .null: return []
    case .number(let text), .string(let text): return ["--\(name)=\(text)"]
    case .array(let values):
      let texts = try values.map { value -> String in
        switch value {
        case .number(let text), .string(let text): return text
        default: throw TrainingError(.badData, "\(place): \(quoted(name)) has a value that is no number or text")
        }
      }
      return ["--\(name)=\(texts.joined(separator: ","))"]
    case .boolean, .object: throw TrainingError(.badData, "\(place): \(quoted(name)) needs a number or a text")
    }
  }
}
