import Tensors

/// A CSV file in memory: columns of numbers, or of texts as codes.
///
/// The first row is the header, unless it holds numbers and no text: then columns are called `1`, `2` and so on. A
/// column is of numbers if all its fields are numbers or missing (``CSVCell``), else of texts.
///
/// The file is gone through twice: the first time its rows and columns are counted and checked, so that memory is
/// asked for once, and only if there is enough.
struct CSVTable {
  /// The kind of a column.
  enum Column: Equatable {
    /// Its values are its numbers.
    case numbers
    /// Its values are places in these texts, which are in the order of their bytes.
    case texts([String])
  }

  /// The path that the file was read from.
  let path: String
  /// The name of each column.
  let names: [String]
  /// The kind of each column.
  let columns: [Column]
  /// The number of rows, the header not counted, at least 1.
  let rowCount: Int

  /// The line in which each row begins.
  private let lines: Buffer<Int>
  /// A number, the place of a text, or NaN for a missing value: [columns, rows].
  private let values: Buffer<Double>

  /// Reads the file at `path`. Throws ``CSVError`` if it is missing or malformed, or there is not the memory for it.
  ///
  /// - Parameter texts: the names of columns that are of texts even if all those are numbers.
  init(path: String, asTexts texts: Set<ExactText> = []) throws(CSVError) {
    self.path = path
    let content: Buffer<UInt8>
    do { content = try fileContent(path) } catch { throw CSVError(path: path, reading: error) }
    var scanner = CSVScanner(content, path: path)
    let header = try Self.header(&scanner, path: path)
    let start = header.isRow ? CSVScanner(content, path: path) : scanner
    let (rowCount, hasText) = try Self.survey(start, columns: header.names.count, path: path)
    guard rowCount > 0 else { throw CSVError(path: path, cause: .noRows) }
    guard rowCount <= UInt32.max else { throw CSVError(path: path, cause: .tooManyRows(rowCount)) }
    do {
      lines = try Datasets.memory(rowCount)
      let (count, isTooLarge) = rowCount.multipliedReportingOverflow(by: header.names.count)
      values = try Datasets.memory(isTooLarge ? .max : count)
    } catch {
      throw CSVError(path: path, reading: error)
    }
    (names, self.rowCount) = (header.names, rowCount)
    let isText = zip(header.names, hasText).map { $1 || texts.contains(ExactText($0)) }
    let codes = try Self.fill(values, lines, from: start, isText, header.names, path: path)
    var columns: [Column] = []
    for (index, codes) in codes.enumerated() {
      let cells = values[index * rowCount..<(index + 1) * rowCount]
      columns.append(isText[index] ? .texts(try Self.sort(cells, codes, lines, path: path)) : .numbers)
    }
    self.columns = columns
  }

  /// Writes the value of each cell and the line of each row. Returns the code of each text, by column.
  private static func fill(
    _ values: Buffer<Double>, _ lines: Buffer<Int>, from start: CSVScanner, _ isText: [Bool], _ names: [String],
    path: String
  ) throws(CSVError) -> [[[UInt8]: Int]] {
    var scanner = start
    var codes = isText.map { _ in [[UInt8]: Int]() }
    for row in 0..<lines.count {
      for column in names.indices {
        guard let field = try scanner.next() else { preconditionFailure("row \(row) has gone from memory") }
        if column == 0 { lines[row] = field.line }
        let value: Double
        switch CSVCell(scanner.bytes(of: field)) {
        case .missing: value = .nan
        case .number(let number) where !isText[column]: value = number
        case .infinite where !isText[column]:
          let text = String(decoding: scanner.content(of: field), as: UTF8.self)
          throw CSVError(path: path, line: field.line, cause: .notFinite(text, column: names[column]))
        default:
          let text = scanner.content(of: field)
          let code = codes[column][text] ?? codes[column].count
          codes[column][text] = code
          value = Double(code)
        }
        values[column * lines.count + row] = value
      }
    }
    return codes
  }

  /// Returns a column's texts in the order of their bytes, and replaces their codes in `cells` by their places in it.
  private static func sort(
    _ cells: Buffer<Double>, _ codes: [[UInt8]: Int], _ lines: Buffer<Int>, path: String
  ) throws(CSVError) -> [String] {
    let sorted = codes.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    var places = [Double](repeating: 0, count: sorted.count)
    for (place, entry) in sorted.enumerated() { places[entry.value] = Double(place) }
    for row in 0..<cells.count where !cells[row].isNaN { cells[row] = places[Int(cells[row])] }
    var texts: [String] = []
    for (place, entry) in sorted.enumerated() {
      guard let text = String(validating: entry.key, as: UTF8.self) else {
        let row = (0..<cells.count).first { cells[$0] == Double(place) } ?? 0
        throw CSVError(path: path, line: lines[row], cause: .notUTF8)
      }
      texts.append(text)
    }
    return texts
  }

  /// The names of the columns, and whether the first row is one of data. Throws if there is no row.
  static func header(
    _ scanner: inout CSVScanner, path: String
  ) throws(CSVError) -> (names: [String], isRow: Bool) {
    var names: [String] = []
    var (hasText, hasNumber) = (false, false)
    while let field = try scanner.next() {
      switch CSVCell(scanner.bytes(of: field)) {
      case .missing: break
      case .number, .infinite: hasNumber = true
      case .text: hasText = true
      }
      guard let name = String(validating: scanner.content(of: field), as: UTF8.self) else {
        throw CSVError(path: path, line: field.line, cause: .notUTF8)
      }
      names.append(name)
      if field.endsRow { break }
    }
    guard !names.isEmpty else { throw CSVError(path: path, cause: .noRows) }
    let isRow = hasNumber && !hasText
    if isRow { names = names.indices.map { "\($0 + 1)" } }
    var seen: Set<ExactText> = []
    for name in names where !seen.insert(ExactText(name)).inserted {
      throw CSVError(path: path, line: 1, cause: .sameName(name))
    }
    return (names, isRow)
  }

  /// The number of rows, and whether each column has a text. Throws if a row has another number of fields.
  private static func survey(
    _ start: CSVScanner, columns: Int, path: String
  ) throws(CSVError) -> (rows: Int, hasText: [Bool]) {
    var scanner = start
    var hasText = [Bool](repeating: false, count: columns)
    var (rows, fields, firstLine) = (0, 0, 1)
    while let field = try scanner.next() {
      if fields == 0 { firstLine = field.line }
      if fields < columns, !hasText[fields], CSVCell(scanner.bytes(of: field)) == .text { hasText[fields] = true }
      fields += 1
      guard field.endsRow else { continue }
      guard fields == columns else {
        throw CSVError(path: path, line: firstLine, cause: .fields(fields, expected: columns))
      }
      (rows, fields) = (rows + 1, 0)
    }
    return (rows, hasText)
  }

  /// The value of a cell: a number, the place of a text, or NaN if it is missing.
  func value(_ column: Int, _ row: Int) -> Double { values[column * rowCount + row] }

  /// The number in a cell, NaN if it is missing. Throws if it is a text.
  func number(_ column: Int, _ row: Int) throws(CSVError) -> Double {
    let value = value(column, row)
    guard case .texts(let texts) = columns[column], !value.isNaN else { return value }
    let text = texts[Int(value)]
    switch CSVCell(text) {
    case .number(let number): return number
    case .infinite: throw CSVError(path: path, line: line(of: row), cause: .notFinite(text, column: names[column]))
    default: throw CSVError(path: path, line: line(of: row), cause: .notANumber(text, column: names[column]))
    }
  }

  /// A buffer of `count` zeros for something made of this table. Throws if there is not the memory.
  func memory<Element>(_ count: Int) throws(CSVError) -> Buffer<Element> {
    do { return try Datasets.memory(count) } catch { throw CSVError(path: path, reading: error) }
  }

  /// The line in which `row` begins, from 1.
  func line(of row: Int) -> Int { lines[row] }

  /// The column called `name`. Throws if there is none.
  func column(_ name: String) throws(CSVError) -> Int {
    guard let index = names.firstIndex(where: { ExactText($0) == ExactText(name) }) else {
      throw CSVError(path: path, cause: .noColumn(name, among: names))
    }
    return index
  }

  /// The columns by name.
  var columnsByName: [ExactText: Int] {
    Dictionary(uniqueKeysWithValues: names.enumerated().map { (ExactText($1), $0) })
  }

  /// `rows` without those that repeat an earlier one in every column.
  func distinct(_ rows: [Int]) -> [Int] {
    // Rows whose hashes are equal are compared, so what is kept does not depend on the hash, which differs each time.
    var seen: [Int: [Int]] = [:]
    return rows.filter { row in
      var hasher = Hasher()
      for column in names.indices { hasher.combine(value(column, row).bitPattern) }
      let hash = hasher.finalize()
      let isRepeated = seen[hash, default: []].contains { earlier in
        names.indices.allSatisfy { value($0, earlier).bitPattern == value($0, row).bitPattern }
      }
      if !isRepeated { seen[hash, default: []].append(row) }
      return !isRepeated
    }
  }
}
