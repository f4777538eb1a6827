import ArgumentParser
import FoundationEssentials
import Lockstep

/// `lockstep anonymise`: a table that tells less of single people.
struct Anonymise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a CSV file tell less of single people, and tells how well it hides them.",
    discussion: """
      Columns are dropped, hashed with a key, or made coarser; rows that too few others are like are suppressed. Then k-anonymity, \
      l-diversity and t-closeness are measured. If what was asked for is not reached, nothing but the report is written, and the exit code \
      is 65.

      Example: lockstep anonymise people.csv --out public.csv --drop name --hash id --generalise age:10 --generalise zip:prefix=3 \
      --quasi-identifiers age,zip,sex --sensitive illness --k 5 --l 2 --suppress remove
      """)

  @Argument(help: "The CSV file.")
  var input: String

  @Option(help: "The file for the outcome; without it, the table is only measured.")
  var out: String?

  @Option(help: "A column that is left out; may be given several times, as --hash and --generalise may.")
  var drop: [String] = []

  @Option(help: "A column whose values become HMAC-SHA-256 digests; empty ones stay empty.")
  var hash: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      A file of 16 bytes or more that is the key of --hash, so that the same value has the same digest in the next table, too. \
      (default: a fresh key that nobody keeps)
      """, valueName: "file"))
  var hashKey: String?

  @Option(
    help: ArgumentHelp(
      """
      Makes a column coarser: NAME:10 puts numbers into intervals of that width, NAME:prefix=3 keeps three characters, \
      NAME:hierarchy=FILE takes the second column of a CSV file without a header whose first has the values, NAME:hierarchy=2,FILE its third.
      """, valueName: "name:how"))
  var generalise: [String] = []

  @Option(help: "The columns that others may know of a person, with commas between them.")
  var quasiIdentifiers: String?

  @Option(help: "The columns that they must not learn, with commas between them.")
  var sensitive: String?

  @Option(
    parsing: .unconditional, help: "Asks for this k-anonymity: each row is like k − 1 others in the quasi-identifiers.")
  var k: Int?

  @Option(
    parsing: .unconditional,
    help: "Asks for this l-diversity: the different sensitive values among rows that are alike.")
  var l: Int?

  @Option(parsing: .unconditional, help: "Asks for this entropy l-diversity.")
  var entropyL: Double?

  @Option(
    parsing: .unconditional,
    help: "Asks for this t-closeness: the most that their values may lie from all rows', 0 to 1.")
  var t: Double?

  @Flag(
    help: "Makes quasi-identifiers coarser, the one with the most values first, until what is asked for is reached.")
  var achieve = false

  @Option(help: "Rows in classes of fewer than k are removed (remove), or their quasi-identifiers become * (star).")
  var suppress: AnonymisationPlan.Suppression?

  @Option(parsing: .unconditional, help: "The most rows that may be suppressed: 5% or 0.05. (default: 5%)")
  var suppressionLimit: PartArgument?

  @Flag(help: "Puts the rows into a random order, so that nobody joins two tables by it.")
  var shuffle = false

  @Option(help: ArgumentHelp("Writes the report as JSON.", valueName: "file"))
  var report: String?

  func validate() throws {
    if hashKey != nil && hash.isEmpty { throw ValidationError("--hash-key needs --hash") }
    if suppressionLimit != nil && suppress == nil { throw ValidationError("--suppression-limit needs --suppress") }
    for (flag, path) in [("--out", out), ("--report", report)] {
      guard let path else { continue }
      if path.isEmpty { throw ValidationError("\(flag) needs a file's name") }
      if path == input { throw ValidationError("\(flag) \(escaped(path)) is the file that is read; give another") }
    }
    if let out, out == report { throw ValidationError("--out and --report are one file; give two") }
    if let fault = try plan().fault { throw ValidationError(fault) }
  }

  /// The plan that the flags name, still without files.
  private func plan() throws -> AnonymisationPlan {
    var plan = AnonymisationPlan()
    (plan.dropped, plan.hashed) = (drop, hash)
    plan.generalised = try arguments().map { ($0.name, .prefix(1)) }
    plan.quasiIdentifiers = try columns(quasiIdentifiers, of: "--quasi-identifiers")
    plan.sensitive = try columns(sensitive, of: "--sensitive")
    (plan.k, plan.l, plan.entropyL, plan.t) = (k, l, entropyL, t)
    (plan.achieves, plan.suppression, plan.shuffles) = (achieve, suppress, shuffle)
    plan.suppressionLimit = suppressionLimit?.part ?? plan.suppressionLimit
    return plan
  }

  private func arguments() throws -> [GeneraliseArgument] {
    try generalise.map { text in
      guard let argument = GeneraliseArgument(text) else {
        throw ValidationError(
          "--generalise \(escaped(text)) is none of NAME:WIDTH, NAME:prefix=COUNT and NAME:hierarchy=FILE, with a width and a count above 0"
        )
      }
      return argument
    }
  }

  /// The names in `text`, with commas between them.
  private func columns(_ text: String?, of flag: String) throws -> [String] {
    let names = text?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    guard !names.contains(""), Set(names.map { ExactText($0) }).count == names.count else {
      throw ValidationError(
        "\(flag) \(escaped(text ?? "")) has an empty name, or one twice; give each once, as in age,sex")
    }
    return names
  }

  func run() throws {
    guard World.isFirst else { return }
    var plan = try plan()
    let table = try waiting(while: "reading \(input)") { try reading { try CSVText(path: input) } }
    plan.key = try hashKey.map { path in try reading { try fileBytes(path, limit: 1 << 20) } }
    plan.generalised = try arguments().map { argument in (argument.name, try reading { try argument.generalisation() })
    }
    let (outcome, found) = try waiting(while: "anonymising \(grouped(table.rowCount)) rows") {
      try reading { [plan] in try plan.carryOut(on: table, from: input) }
    }
    for line in found.lines { print(singleLine(line)) }
    let isReached = found.shortfalls.isEmpty
    try waiting(while: "writing \(out ?? report ?? "")") {
      do {
        if let report {
          let json = try RunJSON.bytes(of: found, isPretty: true)
          try write(json + [UInt8(ascii: "\n")], to: report)
        }
        if let out, isReached { try write(outcome, to: out) }
      } catch {
        throw TrainingError(error)
      }
    }
    guard isReached else {
      throw TrainingError(
        .badData,
        "\(input): \(found.shortfalls[0])\(out.map { "; \($0) is not written" } ?? ""); "
          + (achieve
            ? "ask for less, or let more rows be suppressed (--suppress, --suppression-limit)"
            : "generalise more (--achieve does it by itself), suppress rows (--suppress), or ask for less"))
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try AtomicFile.removeLeftover(of: path)
    try AtomicFile.write(bytes, to: path)
  }

  private func write(_ table: CSVText, to path: String) throws {
    try AtomicFile.removeLeftover(of: path)
    try AtomicFile.write(to: path) { file throws(FileWriteError) in
      var lines: [UInt8] = []
      try table.forEachLine { line throws(FileWriteError) in
        lines += Array(line.utf8)
        guard lines.count >= 1 << 16 else { return }
        try file.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
      try file.write(lines)
    }
  }

  /// The errors of the plan and its files with the program's codes.
  private func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as AnonymisationError {
      throw TrainingError(error.isUsage ? .usage : .badData, error.description)
    } catch {
      throw TrainingError(error)
    }
  }
}

/// `NAME:10`, `NAME:prefix=3` or `NAME:hierarchy=FILE`.
private struct GeneraliseArgument {
  private enum How {
    case width(DecimalNumber)
    case prefix(Int)
    case hierarchy(String, level: Int)

    init?(_ text: Substring) {
      if let count = text.wholeMatch(of: /prefix=([0-9]{1,4})/).flatMap({ Int($0.1) }), count > 0 {
        self = .prefix(count)
      } else if let match = text.wholeMatch(of: /hierarchy=(?:([0-9]{1,3}),)?(.+)/) {
        let level = match.1.map { Int($0) ?? 0 } ?? 1
        guard level > 0 else { return nil }
        self = .hierarchy(String(match.2), level: level)
      } else if let width = DecimalNumber(String(text)), width.isPositive {
        self = .width(width)
      } else {
        return nil
      }
    }
  }

  let name: String
  private let how: How

  init?(_ argument: String) {
    // A name may have colons, too: the first behind which something can be understood counts.
    for place in argument.indices where argument[place] == ":" && place > argument.startIndex {
      guard let how = How(argument[argument.index(after: place)...]) else { continue }
      (name, self.how) = (String(argument[..<place]), how)
      return
    }
    return nil
  }

  /// Throws if a hierarchy's file cannot be read, or has no such level.
  func generalisation() throws -> Generalisation {
    switch how {
    case .width(let width): return .intervals(width: width)
    case .prefix(let count): return .prefix(count)
    case .hierarchy(let path, let level):
      let hierarchy = try Hierarchy(path: path)
      guard level <= hierarchy.levels else {
        throw TrainingError(
          .usage, "--generalise \(quoted(name)): \(path) has \(hierarchy.levels) levels, and none of number \(level)")
      }
      return .hierarchy(hierarchy, level: level)
    }
  }
}

/// A part of all, `5%` or `0.05`.
struct PartArgument: ExpressibleByArgument {
  let part: Double

  init?(argument: String) {
    guard let number = Double(argument.hasSuffix("%") ? String(argument.dropLast()) : argument), number.isFinite else {
      return nil
    }
    part = argument.hasSuffix("%") ? number / 100 : number
  }
}
