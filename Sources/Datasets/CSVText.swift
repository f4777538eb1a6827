import Tensors

/// A CSV file as the texts of its fields, to be changed and written again.
///
/// Read as every table is (`CSVScanner`: RFC 4180, blanks around a field dropped), but no field gets a meaning: `0123` stays `0123`, and
/// `NA` stays `NA`. The first row is the header, unless it holds numbers and no text: then columns are called `1`, `2` and so on.
public struct CSVText: Sendable, Hashable {
  /// The name of each column.
  public var names: [String]
  /// The fields of each column, [columns, rows].
  public var columns: [[String]]
  /// Whether ``names`` are the file's first row.
  public let hasHeader: Bool

  /// The number of rows, the header not counted.
  public var rowCount: Int { columns.first?.count ?? 0 }

  /// A table of these columns, all with as many fields.
  public init(names: [String], columns: [[String]], hasHeader: Bool = true) {
    precondition(names.count == columns.count && Set(columns.map(\.count)).count <= 1, "a table with uneven columns")
    (self.names, self.columns, self.hasHeader) = (names, columns, hasHeader)
  }

  /// Reads the file at `path`. Throws ``CSVError`` if it is missing or malformed, or has no rows.
  public init(path: String) throws(CSVError) {
    let content: Buffer<UInt8>
    do { content = try fileContent(path) } catch { throw CSVError(path: path, reading: error) }
    var scanner = CSVScanner(content, path: path)
    let header = try CSVTable.header(&scanner, path: path)
    if header.isRow { scanner = CSVScanner(content, path: path) }
    let width = header.names.count
    var columns = [[String]](repeating: [], count: width)
    var (place, firstLine) = (0, 1)
    while let field = try scanner.next() {
      if place == 0 { firstLine = field.line }
      guard let text = String(validating: scanner.content(of: field), as: UTF8.self) else {
        throw CSVError(path: path, line: field.line, cause: .notUTF8)
      }
      if place < width { columns[place].append(text) }
      place += 1
      guard field.endsRow else { continue }
      guard place == width else {
        throw CSVError(path: path, line: firstLine, cause: .fields(place, expected: width))
      }
      place = 0
    }
    guard columns[0].count > 0 else { throw CSVError(path: path, cause: .noRows) }
    self.init(names: header.names, columns: columns, hasHeader: !header.isRow)
  }

  /// The column called `name`; nil if there is none.
  public func column(_ name: String) -> Int? { names.firstIndex { ExactText($0) == ExactText(name) } }

  /// Whether a first row of these fields is read as a header: it holds a text, or no number.
  public static func isHeader(_ names: [String]) -> Bool {
    let cells = names.map { CSVCell($0) }
    return cells.contains(.text)
      || !cells.contains { cell in
        switch cell {
        case .number, .infinite: true
        case .missing, .text: false
        }
      }
  }

  /// Calls `body` with each line of the file, ended by LF, its fields in quotes where they need them.
  public func forEachLine<Failure: Error>(_ body: (String) throws(Failure) -> Void) throws(Failure) {
    if hasHeader { try body(Self.line(names)) }
    for row in 0..<rowCount { try body(Self.line(columns.map { $0[row] })) }
  }

  private static func line(_ fields: [String]) -> String {
    // A line with nothing in it would be no row.
    let line = fields.map(written).joined(separator: ",")
    return (line.isEmpty ? "\"\"" : line) + "\n"
  }

  private static func written(_ field: String) -> String {
    let bytes = field.utf8
    let special = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
    let blanks = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let needsQuotes =
      bytes.contains(where: special.contains) || bytes.first.map(blanks.contains) == true
      || bytes.last.map(blanks.contains) == true || bytes.starts(with: [0xEF, 0xBB, 0xBF])
    return needsQuotes ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
  }
}
