import Console
import Tensors

/// What was done to a table, and how well it then hides its people.
public struct AnonymisationReport: Sendable, Codable, Hashable {
  /// A column of the table.
  public struct Column: Sendable, Codable, Hashable {
    /// What was done to a column.
    public enum Operation: String, Sendable, Codable {
      /// Nothing.
      case keep
      /// It was left out.
      case drop
      /// Every value became a keyed hash.
      case hash
      /// Every value became an interval, a prefix, or what a hierarchy has above it.
      case generalise
      /// Every value became a star.
      case star
    }

    /// The column's name.
    public var name: String
    /// What was done to it.
    public var operation: Operation
    /// How, in words.
    public var detail: String?
    /// The different values before.
    public var distinctBefore: Int
    /// The different values after; nil of a column that was dropped.
    public var distinctAfter: Int?

    enum CodingKeys: String, CodingKey {
      case name, operation, detail
      case distinctBefore = "distinct_before"
      case distinctAfter = "distinct_after"
    }
  }

  /// What was asked for; nil where nothing was.
  public struct Asked: Sendable, Codable, Hashable {
    /// The least rows of a class.
    public var k: Int?
    /// The least different sensitive values of a class.
    public var l: Int?
    /// The least l that a class' entropy log(l) has.
    public var entropyL: Double?
    /// The largest distance of a class' sensitive values from the table's.
    public var t: Double?

    enum CodingKeys: String, CodingKey {
      case k, l, t
      case entropyL = "entropy_l"
    }
  }

  /// The table's file.
  public var input: String
  /// Its rows.
  public var rowsRead: Int
  /// The rows that are left.
  public var rowsLeft: Int
  /// The rows that were removed, or whose quasi-identifiers became stars, because too few were like them.
  public var suppressedRows: Int
  /// Whether the rows were put into a random order.
  public var isShuffled: Bool
  /// Where the key of hashes is from: `fresh`, and then it is gone, or `file`; nil without hashes.
  public var key: String?
  /// The columns.
  public var columns: [Column]
  /// The quasi-identifiers.
  public var quasiIdentifiers: [String]
  /// What was asked for.
  public var asked: Asked
  /// What was found; nil without quasi-identifiers.
  public var found: Anonymity?
  /// Why what was asked for is not reached, a line each; empty if it is.
  public var shortfalls: [String]

  enum CodingKeys: String, CodingKey {
    case input, key, columns, asked, found, shortfalls
    case rowsRead = "rows_read"
    case rowsLeft = "rows_left"
    case suppressedRows = "suppressed_rows"
    case isShuffled = "shuffled"
    case quasiIdentifiers = "quasi_identifiers"
  }

  /// The report for people, at most 80 columns wide but for long names.
  public var lines: [String] {
    var lines = ["\(grouped(rowsRead)) rows read, \(grouped(rowsLeft)) left, \(grouped(suppressedRows)) suppressed"]
    for column in columns where column.operation != .keep {
      let after = column.distinctAfter.map { ", \(grouped(column.distinctBefore)) values to \(grouped($0))" } ?? ""
      let detail = column.detail.map { " (\($0))" } ?? ""
      lines.append("\(column.operation.rawValue) \(escaped(column.name))\(detail)\(after)")
    }
    if let found {
      lines.append("quasi-identifiers: " + quasiIdentifiers.map { escaped($0) }.joined(separator: ", "))
      lines.append(
        "k-anonymity: \(found.k) (\(grouped(found.classes)) classes, the largest of \(grouped(found.largestClass)) rows)"
      )
      lines.append(
        "risk of finding a person: at most \(found.k == 0 ? "–" : fixed(1 / Double(found.k), 4)), \(fixed(found.meanRisk, 4)) in the mean"
      )
      for sensitive in found.sensitive {
        lines.append(
          "\(escaped(sensitive.name)): l-diversity \(sensitive.distinctL) (distinct), \(fixed(sensitive.entropyL, 4)) (entropy); "
            + "t-closeness \(fixed(sensitive.t, 4)) (\(sensitive.distance.rawValue) distance)")
      }
    }
    return lines + shortfalls.map { "not reached: \($0)" }
  }
}
