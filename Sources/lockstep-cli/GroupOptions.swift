import ArgumentParser
import Lockstep

/// The groups of test samples whose figures are told apart, the same for training and evaluation.
struct GroupOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Tells figures apart by class, or by the values of a column: of the table, also one that is ignored, or of --groups-file. A+B \
      crosses two columns. May be given several times.
      """, valueName: "class|column"))
  var groups: [String] = []

  @Option(
    help: ArgumentHelp(
      "A CSV file with a header and a row for each test image: the columns that --groups names; without it, all of them.",
      valueName: "file"))
  var groupsFile: String?

  @Option(
    help: """
      The groups, of about the same size, into which a column's numbers are cut. (default: each number is a group, or 4 if there are more \
      than 20)
      """)
  var groupBins: Int?

  func validate() throws {
    if let groupBins {
      guard isGiven else { throw ValidationError("--group-bins needs --groups or --groups-file") }
      guard 2...SampleGroups.most ~= groupBins else {
        throw ValidationError("--group-bins \(groupBins) is not between 2 and \(SampleGroups.most)")
      }
    }
  }

  /// Throws if they are asked for in a way that does not fit `data`.
  func check(_ data: DataOptions) throws {
    guard groupsFile == nil || !data.isTable else {
      throw ValidationError("--groups-file needs images; give --groups a column of the table")
    }
  }

  /// Whether any are asked for.
  var isGiven: Bool { !groups.isEmpty || groupsFile != nil }

  /// The groups of the samples of `test`, the same on every rank, and none if none are asked for. `parts` are the table that they are from;
  /// nil of images. Collective.
  ///
  /// Throws ``TrainingError``: 64 if there is no such column, or ranks found other groups; 65 if the file does not fit the samples; 66 if it
  /// is missing.
  func load(_ test: any Dataset, of parts: CSVParts?, on world: any Communicator) throws -> [SampleGroups] {
    let found = try world.agree { () throws -> [SampleGroups] in
      guard isGiven else { return [] }
      do { return try find(test, of: parts) } catch { throw TrainingError(error) }
    }
    try world.requireEqual([("groups", found.map { "\($0.name) \($0.digest)" }.joined(separator: ", "))])
    return found
  }

  private func find(_ test: any Dataset, of parts: CSVParts?) throws -> [SampleGroups] {
    let file = try groupsFile.map { path in
      let columns = try CSVColumn.all(of: path)
      guard let rows = columns.first?.values.count, rows == test.count else {
        throw TrainingError(
          .badData,
          "\(path): holds \(grouped(columns.first?.values.count ?? 0)) rows below its header, and the test data "
            + "\(grouped(test.count)) samples; give a row for each")
      }
      return columns
    }
    let wanted = groups.isEmpty ? file?.map(\.name) ?? [] : groups
    return try wanted.map { text in
      if let own = try column(text, file, parts) { return try SampleGroups(own, bins: groupBins) }
      if text == SampleGroups.classes.name { return .classes }
      let names = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
      let columns = try names.map { name in
        guard names.count > 1, let own = try column(name, file, parts) else { throw unknown(name, file, parts) }
        return try SampleGroups(own, bins: groupBins)
      }
      return try columns.dropFirst().reduce(columns[0]) { try $0.crossed(with: $1) }
    }
  }

  /// The column called `name`; nil if there is none. The classes have their own way.
  private func column(_ name: String, _ file: [CSVColumn]?, _ parts: CSVParts?) throws -> CSVColumn? {
    if let file { return file.first { ExactText($0.name) == ExactText(name) } }
    guard let parts, parts.testColumnNames.contains(where: { ExactText($0) == ExactText(name) }) else { return nil }
    // A target called class, as it often is.
    if name == SampleGroups.classes.name && parts.report.target == name { return nil }
    return try parts.testColumn(name)
  }

  private func unknown(_ name: String, _ file: [CSVColumn]?, _ parts: CSVParts?) -> TrainingError {
    let names = file?.map(\.name) ?? parts?.testColumnNames ?? []
    let known = (["class"] + names.prefix(20).map { quoted($0) }).joined(separator: ", ")
    let advice =
      names.isEmpty
      ? "give class, or a --groups-file with that column" : "give \(known)\(names.count > 20 ? ", …" : "")"
    return TrainingError(.usage, "--groups \(quoted(name)): there is no such column; \(advice)")
  }

  /// The figures of `groups`, for a network that is trained on `loss`. Throws with 64 if it tells no classes apart.
  static func figures(of groups: [SampleGroups], _ loss: any Loss) throws -> [GroupFigures] {
    guard !groups.isEmpty else { return [] }
    guard let loss = loss as? any ClassLoss else {
      throw TrainingError(
        .usage, "--groups needs a task that tells classes apart, and \(escaped(loss.name)) does not; leave it out")
    }
    return groups.map { GroupFigures($0, of: loss) }
  }
}
