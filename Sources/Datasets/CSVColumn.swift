/// A column of a CSV file as it stands there: of numbers, or of texts.
public struct CSVColumn: Sendable {
  /// The column's name.
  public let name: String
  /// A number, or a place in ``texts``, for each row; NaN where the value is missing.
  public let values: [Double]
  /// The different texts, in the order of their bytes; nil if the column is of numbers.
  public let texts: [String]?

  /// A column of these values.
  public init(name: String, values: [Double], texts: [String]? = nil) {
    (self.name, self.values, self.texts) = (name, values, texts)
  }

  init(_ table: CSVTable, _ column: Int, rows: [Int]) {
    let texts: [String]? = if case .texts(let texts) = table.columns[column] { texts } else { nil }
    self.init(name: table.names[column], values: rows.map { table.value(column, $0) }, texts: texts)
  }

  /// All columns of the file at `path`. Throws ``CSVError`` if it is missing or malformed.
  public static func all(of path: String) throws(CSVError) -> [CSVColumn] {
    let table = try CSVTable(path: path)
    return table.names.indices.map { CSVColumn(table, $0, rows: Array(0..<table.rowCount)) }
  }
}
