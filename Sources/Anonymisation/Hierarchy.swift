import Datasets
import Tensors

/// How the values of a column become coarser, level by level: a CSV file without a header whose rows begin with a value, and go on with what
/// it becomes at level 1, 2 and so on. That is the form of ARX.
public struct Hierarchy: Sendable {
  private let rows: [ExactText: [String]]
  /// The number of levels above the values themselves.
  public let levels: Int
  private let path: String

  /// Reads the file at `path`. Throws `CSVError`, or ``AnonymisationError`` if a value has two rows, or nothing to become.
  public init(path: String) throws {
    let text = try CSVText(path: path)
    var rows: [ExactText: [String]] = [:]
    guard text.names.count >= 2 else {
      throw AnonymisationError.data("\(path): has one column; give each value in the first what it becomes in the next")
    }
    // The first row is one like the others.
    let lines =
      (text.hasHeader ? [text.names] : []) + (0..<text.rowCount).map { row in text.columns.map { $0[row] } }
    for line in lines where rows.updateValue(Array(line.dropFirst()), forKey: ExactText(line[0])) != nil {
      throw AnonymisationError.data("\(path): value \(quoted(line[0])) has two rows; give it one")
    }
    (self.rows, levels, self.path) = (rows, text.names.count - 1, path)
  }

  /// What `value` becomes at `level`, from 1; nil if the file does not have it.
  func value(_ value: String, level: Int) -> String? { rows[ExactText(value)]?[level - 1] }

  /// The error of a value that is not there.
  func missing(_ value: String, column: String) -> AnonymisationError {
    .data("\(path): has no row for \(quoted(value)) of column \(quoted(column)); add one")
  }
}
