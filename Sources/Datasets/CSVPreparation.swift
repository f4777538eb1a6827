import Tensors

/// The way from a table's columns to inputs: fitted to the training rows alone, and applied to any rows.
///
/// A column of numbers becomes one input, a column of texts one for each category, which is 1 in that category and
/// else 0. Inputs have the order of the columns, and within a column that of the texts' bytes.
struct CSVPreparation {
  /// The most different texts of a column.
  static let mostCategories = 1000

  /// A column that becomes inputs.
  struct Column {
    let name: String
    let encoding: Encoding
  }

  /// The way from a value to inputs.
  enum Encoding {
    /// (x − offset) / scale, with `fill` as x where the value is missing.
    case number(offset: Double, scale: Double, fill: Double?)
    /// An input for each of these texts, with that at `fill` where the value is missing.
    case categories([String], fill: Int?)

    /// The number of inputs.
    var width: Int {
      switch self {
      case .number: 1
      case .categories(let texts, _): texts.count
      }
    }
  }

  /// The columns that become inputs, in their order.
  private(set) var columns: [Column] = []
  /// The columns that do not, because they have one value in all training rows.
  private(set) var constantColumns: [String] = []
  /// The figures of each of ``columns``.
  private(set) var reports: [CSVReport.Column] = []

  /// The number of inputs.
  var width: Int { columns.reduce(0) { $0 + $1.encoding.width } }

  /// Fits the columns at `candidates` to `rows` of `table`. Throws if none can be an input, or if one has too many
  /// texts.
  init(_ table: CSVTable, _ candidates: [Int], rows: [Int], _ options: CSVOptions) throws(CSVError) {
    for column in candidates {
      let values = rows.map { table.value(column, $0) }
      let fitted: (encoding: Encoding, report: CSVReport.Column)?
      switch table.columns[column] {
      case .numbers: fitted = Self.fitNumbers(values, options, name: table.names[column])
      case .texts(let texts):
        fitted = Self.fitTexts(values, texts, options, name: table.names[column])
        if let count = fitted?.encoding.width, count > Self.mostCategories {
          let odd = texts.first { CSVCell($0) == .text } ?? texts[0]
          throw CSVError(
            path: table.path, cause: .tooManyCategories(count, column: table.names[column], such: odd))
        }
      }
      guard let fitted else {
        constantColumns.append(table.names[column])
        continue
      }
      columns.append(Column(name: table.names[column], encoding: fitted.encoding))
      reports.append(fitted.report)
    }
    guard !columns.isEmpty else { throw CSVError(path: table.path, cause: .noInputs) }
  }

  /// nil if the numbers are all the same.
  private static func fitNumbers(
    _ values: [Double], _ options: CSVOptions, name: String
  ) -> (Encoding, CSVReport.Column)? {
    let present = values.filter { !$0.isNaN }
    guard !present.isEmpty else { return nil }
    let fill: Double? =
      switch options.missing {
      case .drop: nil
      case .mean: Self.mean(present)
      case .median: Self.median(present)
      }
    let filled = values.map { $0.isNaN ? fill ?? 0 : $0 }
    let (least, most, mean) = (filled.min() ?? 0, filled.max() ?? 0, Self.mean(filled))
    let deviation = (filled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(filled.count)).squareRoot()
    let (offset, scale) =
      switch options.normalisation {
      case .none: (0.0, 1.0)
      case .minMax: (least, most - least)
      case .standard: (mean, deviation)
      }
    // A deviation may be too small for a double although two numbers differ.
    guard most > least, scale > 0 else { return nil }
    let report = CSVReport.Column(
      name: name, inputs: 1, fill: fill.map { "\($0)" }, minimum: least, maximum: most, mean: mean,
      deviation: deviation)
    return (.number(offset: offset, scale: scale, fill: fill), report)
  }

  /// nil if the texts are all the same.
  private static func fitTexts(
    _ values: [Double], _ texts: [String], _ options: CSVOptions, name: String
  ) -> (Encoding, CSVReport.Column)? {
    var counts = [Int](repeating: 0, count: texts.count)
    for value in values where !value.isNaN { counts[Int(value)] += 1 }
    let present = counts.indices.filter { counts[$0] > 0 }
    guard present.count > 1 else { return nil }
    // The first of equals, in the order of bytes.
    let fill = options.missing == .drop ? nil : present.indices.max { counts[present[$0]] < counts[present[$1]] }
    let categories = present.map { texts[$0] }
    let report = CSVReport.Column(
      name: name, inputs: categories.count, fill: fill.map { categories[$0] }, categories: categories)
    return (.categories(categories, fill: fill), report)
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The inputs of `rows` of `table`, [rows, width]. Throws at a value that does not fit its column, and if `table`
  /// lacks a column.
  func inputs(_ table: CSVTable, rows: [Int], counting cleaning: inout CSVCleaning) throws(CSVError) -> Buffer<Float> {
    let width = width
    let (count, isTooLarge) = rows.count.multipliedReportingOverflow(by: width)
    let inputs: Buffer<Float> = try table.memory(isTooLarge ? .max : count)
    let byName = table.columnsByName
    var place = 0
    for column in columns {
      guard let source = byName[ExactText(column.name)] else {
        throw CSVError(path: table.path, cause: .noColumn(column.name, among: table.names))
      }
      switch column.encoding {
      case .number(let offset, let scale, let fill):
        for (index, row) in rows.enumerated() {
          var number = try table.number(source, row)
          if number.isNaN, let fill { (number, cleaning.filledValues) = (fill, cleaning.filledValues + 1) }
          let input = Float((number - offset) / scale)
          guard input.isFinite else {
            throw CSVError(
              path: table.path, line: table.line(of: row), cause: .notFinite("\(number)", column: column.name))
          }
          inputs[index * width + place] = input
        }
      case .categories(let categories, let fill):
        guard case .texts(let texts) = table.columns[source] else {
          preconditionFailure("a column of texts was not read so")
        }
        let own = Dictionary(uniqueKeysWithValues: categories.enumerated().map { (ExactText($1), $0) })
        let places = texts.map { own[ExactText($0)] }
        for (index, row) in rows.enumerated() {
          let value = table.value(source, row)
          if value.isNaN { cleaning.filledValues += 1 }
          guard let category = value.isNaN ? fill : places[Int(value)] else {
            cleaning.unknownCategories += 1
            continue
          }
          inputs[index * width + place + category] = 1
        }
      }
      place += column.encoding.width
    }
    return inputs
  }
}
