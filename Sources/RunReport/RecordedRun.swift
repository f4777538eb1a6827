import Checkpoints
import Datasets
import Fairness
import FoundationEssentials
import Tensors
import Training

/// A run as the files of its directory tell it: `config.json`, `metrics.jsonl`, `data-report.json` and, once it is
/// finished, `summary.json` and `groups.json`.
public struct RecordedRun: Sendable {
  /// The run's directory.
  public let directory: String
  /// The recipe and how it was carried out: the members of `config.json`, in its order.
  public let configuration: [JSONValue.Member]
  /// The epochs that are over.
  public let epochs: [EpochFigures]
  /// The figures of the finished run; nil if it is not finished.
  public let summary: TrainingSummary?
  /// The figures of groups of the test samples, if they were written for the weights at the run's end; else none.
  public let groups: [GroupReport]
  /// How the table became samples; nil if the data are none.
  public let data: CSVReport?

  /// The most bytes of a file that is read.
  private static let mostBytes = 64 << 20

  /// Reads the files of the run in `directory`. A line of metrics without an end is left out, for it is still being written, and so is one
  /// that no run wrote.
  ///
  /// Throws ``TrainingError``: 66 if there is no `config.json`, 65 if a file is no regular one, too large or malformed.
  public init(directory: String) throws {
    self.directory = directory
    let configuration = try Self.bytes("\(directory)/config.json")
    do { self.configuration = try JSONValue(configuration).members ?? [] } catch {
      throw TrainingError(.badData, "\(directory)/config.json: \(error)")
    }
    epochs = try Self.epochs(in: directory)
    let end = "\(directory)/summary.json"
    summary =
      FileManager.default.fileExists(atPath: end)
      ? try Self.decode(TrainingSummary.self, from: try Self.bytes(end), end) : nil
    let (groups, data) = (GroupsFile.path(in: directory), "\(directory)/data-report.json")
    let told = FileManager.default.fileExists(atPath: groups) ? try GroupsFile(readingFrom: groups) : nil
    self.groups = told?.step == summary?.steps ? told?.groups ?? [] : []
    self.data =
      FileManager.default.fileExists(atPath: data)
      ? try Self.decode(CSVReport.self, from: try Self.bytes(data), data) : nil
  }

  /// The text of a key of the configuration; nil if it is missing.
  public subscript(key: String) -> String? {
    configuration.first { $0.key == key }.map { Self.text($0.value) }
  }

  /// What its epochs are called: those of a federated run are rounds.
  var unit: String { self["federation"] == nil ? "epoch" : "round" }

  /// The words of the command that does the run again; nil if it was not started by one.
  public var command: [String]? {
    guard case .array(let words) = configuration.first(where: { $0.key == "command" })?.value else { return nil }
    return words.map(Self.text)
  }

  /// `value` as a reader wants it: a text without quotes, a list with commas.
  static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .boolean(let isTrue): isTrue ? "yes" : "no"
    case .number(let text): text
    case .string(let text): text
    case .array(let values): values.map(text).joined(separator: ", ")
    case .object(let members): members.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
    }
  }

  /// The epochs that `metrics.jsonl` in `directory` tells of; none without that file.
  static func epochs(in directory: String) throws -> [EpochFigures] {
    // A run that went on with nothing left to train has no epochs here.
    let path = "\(directory)/metrics.jsonl"
    let metrics = FileManager.default.fileExists(atPath: path) ? try bytes(path) : []
    let lineEnd = UInt8(ascii: "\n")
    let whole = metrics.lastIndex(of: lineEnd).map { metrics[...$0] } ?? []
    return whole.split(separator: lineEnd).compactMap { EpochFigures(line: $0) }
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    do { return try fileBytes(path, limit: mostBytes) } catch { throw TrainingError(error) }
  }

  /// The value that `bytes` of the file at `place` hold. Throws ``TrainingError`` with 65 if they do not.
  static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: some Collection<UInt8>, _ place: String
  ) throws -> Value {
    do { return try RunJSON.decoder.decode(type, from: Data(bytes)) } catch {
      throw TrainingError(.badData, "\(place): is not what a run writes: \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "\(quoted(key.stringValue)) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(quoted(context.codingPath.last?.stringValue ?? "")) is of another type"
    default: "it is no JSON"
    }
  }
}
