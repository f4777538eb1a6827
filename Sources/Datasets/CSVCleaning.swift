/// The rows of a file that cleaning leaves, and how many it takes out.
public struct CSVCleaning: Sendable, Codable, Hashable {
  /// The rows in the file.
  public var rowsRead = 0
  /// Rows left out because their target is missing.
  public var rowsWithoutTarget = 0
  /// Rows left out because another value is missing.
  public var rowsWithMissingValues = 0
  /// Rows left out because they repeat an earlier one.
  public var duplicateRows = 0
  /// Missing values that were filled.
  public var filledValues = 0
  /// Texts that the training samples do not have: all inputs of their column are 0.
  public var unknownCategories = 0

  enum CodingKeys: String, CodingKey {
    case rowsRead = "rows_read"
    case rowsWithoutTarget = "rows_without_target"
    case rowsWithMissingValues = "rows_with_missing_values"
    case duplicateRows = "duplicate_rows"
    case filledValues = "filled_values"
    case unknownCategories = "unknown_categories"
  }

  /// The rows of `table` that are left, in its order.
  ///
  /// - Parameters:
  ///   - inputs: the columns that become inputs.
  ///   - target: the target's column.
  mutating func rows(
    of table: CSVTable, inputs: [Int], target: Int, _ options: CSVOptions
  ) throws(CSVError) -> [Int] {
    rowsRead = table.rowCount
    var rows = (0..<table.rowCount).filter { !table.value(target, $0).isNaN }
    rowsWithoutTarget = rowsRead - rows.count
    if options.missing == .drop {
      let before = rows.count
      rows.removeAll { row in inputs.contains { table.value($0, row).isNaN } }
      rowsWithMissingValues = before - rows.count
    }
    if options.duplicates == .drop {
      let before = rows.count
      rows = table.distinct(rows)
      duplicateRows = before - rows.count
    }
    guard !rows.isEmpty else { throw CSVError(path: table.path, cause: .noRowsLeft) }
    return rows
  }

  /// What was done, for one line; empty if nothing was.
  var parts: [String] {
    func part(_ count: Int, _ one: String, _ many: String? = nil) -> String? {
      count == 0 ? nil : "\(count) \(count == 1 ? one : many ?? one + "s")"
    }
    let dropped = [
      part(rowsWithoutTarget, "row without a target", "rows without a target"),
      part(rowsWithMissingValues, "row with missing values", "rows with missing values"),
      part(duplicateRows, "repeated row"),
    ].compactMap(\.self)
    return (dropped.isEmpty ? [] : ["dropped \(dropped.joined(separator: ", "))"])
      + [
        part(filledValues, "missing value").map { "filled \($0)" },
        part(unknownCategories, "text that training lacks", "texts that training lacks"),
      ].compactMap(\.self)
  }
}
