import Tensors

/// The training and the test samples of one CSV file, or of two.
///
/// In this order: rows without a target go, then rows with missing values if they are dropped, then repeated rows;
/// the task is found; the rows are split; and to those that are trained on are fitted what fills missing values, which
/// columns are constant, the categories, and the scales. All ranks do the same with the same files, so nothing of it
/// need be stored or sent: the digests of the samples are compared.
public struct CSVParts: Sendable {
  /// The samples to train on.
  public let training: CSVDataset
  /// The samples to test on.
  public let test: CSVDataset
  /// The task that the target column is for.
  public let task: CSVTask
  /// The account of how the files became samples.
  public let report: CSVReport
  /// The file that the test samples are from.
  private let testTable: CSVTable
  /// The row of each test sample in it.
  private let testRows: [Int]

  /// Reads the training samples from `path`, and the test samples from `testPath` or, if that is nil, from the rows
  /// that are split off.
  ///
  /// If there is neither a file nor a fraction for testing, ``CSVOptions/usualTestFraction`` is split off. With both,
  /// the rows that are split off are not used. Throws ``CSVError``.
  ///
  /// - Parameter task: the task; nil to find it from the target's column.
  public init(path: String, testPath: String? = nil, task: CSVTask? = nil, _ given: CSVOptions) throws {
    var options = given
    if testPath == nil && options.testFraction == nil { options.testFraction = CSVOptions.usualTestFraction }
    let table = try CSVTable(path: path)
    let targetColumn = if let name = options.target { try table.column(name) } else { table.names.count - 1 }
    let (candidates, emptyColumns) = try Self.candidates(table, targetColumn, options)
    var cleaning = CSVCleaning()
    let rows = try cleaning.rows(of: table, inputs: candidates, target: targetColumn, options)
    let target = try CSVTarget(table, targetColumn, rows: rows, task: task)
    let (trainingRows, heldOut) = try Self.split(rows, options, path: path)
    let preparation = try CSVPreparation(table, candidates, rows: trainingRows, options)
    let settings = options.settings(target: target.name)
    training = try Self.dataset(table, trainingRows, targetColumn, target, preparation, settings, &cleaning)
    var testCleaning: CSVCleaning?
    if let testPath {
      var ownCleaning = CSVCleaning()
      let testTable = try CSVTable(path: testPath, asTexts: Self.texts(preparation, target))
      let column = try testTable.column(target.name)
      let byName = testTable.columnsByName
      let inputs = preparation.columns.compactMap { byName[ExactText($0.name)] }
      let testRows = try ownCleaning.rows(of: testTable, inputs: inputs, target: column, options)
      test = try Self.dataset(testTable, testRows, column, target, preparation, settings, &ownCleaning)
      testCleaning = ownCleaning
      (self.testTable, self.testRows) = (testTable, testRows)
    } else {
      test = try Self.dataset(table, heldOut, targetColumn, target, preparation, settings, &cleaning)
      (testTable, testRows) = (table, heldOut)
    }
    self.task = target.task
    report = CSVReport(
      trainingFile: path, testFile: testPath, task: target.task, target: target.name, classes: target.classNames,
      inputs: preparation.width, trainingSamples: training.count, testSamples: test.count,
      testFraction: options.testFraction, splitSeed: options.testFraction.map { _ in options.splitSeed },
      normalisation: options.normalisation.rawValue, missing: options.missing.rawValue, cleaning: cleaning,
      testCleaning: testCleaning, ignoredColumns: options.ignored, emptyColumns: emptyColumns,
      constantColumns: Array(preparation.constantColumns.prefix(CSVReport.mostColumns)),
      columns: Array(preparation.reports.prefix(CSVReport.mostColumns)))
  }

  /// The names of the columns of the file that the test samples are from.
  public var testColumnNames: [String] { testTable.names }

  /// The values of the test samples in the column called `name`, whether or not it is an input. Throws ``CSVError`` if there is none.
  public func testColumn(_ name: String) throws(CSVError) -> CSVColumn {
    CSVColumn(testTable, try testTable.column(name), rows: testRows)
  }

  /// The columns that may become inputs, and the names of those without any value.
  private static func candidates(
    _ table: CSVTable, _ target: Int, _ options: CSVOptions
  ) throws(CSVError) -> (columns: [Int], empty: [String]) {
    var ignored: Set<Int> = []
    for name in options.ignored {
      let column = try table.column(name)
      guard column != target else { throw CSVError(path: table.path, cause: .ignoredTarget(name)) }
      ignored.insert(column)
    }
    let others = table.names.indices.filter { $0 != target && !ignored.contains($0) }
    let isFull = others.map { column in (0..<table.rowCount).contains { !table.value(column, $0).isNaN } }
    let columns = zip(others, isFull).filter(\.1).map(\.0)
    let empty = zip(others, isFull).filter { !$1 }.map { table.names[$0.0] }
    guard !columns.isEmpty else { throw CSVError(path: table.path, cause: .noInputs) }
    return (columns, Array(empty.prefix(CSVReport.mostColumns)))
  }

  /// `rows` in two parts, both in their order: the rows to train on, and those to test on.
  ///
  /// As many as the fraction says, rounded to the nearest, are tested on, all choices being equally likely.
  private static func split(
    _ rows: [Int], _ options: CSVOptions, path: String
  ) throws(CSVError) -> (training: [Int], test: [Int]) {
    guard let fraction = options.testFraction else { return (rows, []) }
    let count = Int((Double(rows.count) * fraction).rounded())
    guard count >= 1, count < rows.count else {
      throw CSVError(path: path, cause: .tooFewToSplit(rows.count, fraction: fraction))
    }
    var order = [UInt32](repeating: 0, count: rows.count)
    order.permute(by: Philox(seed: options.splitSeed, purpose: .split, stream: 0))
    var isTested = [Bool](repeating: false, count: rows.count)
    for place in order.prefix(count) { isTested[Int(place)] = true }
    return (
      rows.indices.filter { !isTested[$0] }.map { rows[$0] }, rows.indices.filter { isTested[$0] }.map { rows[$0] }
    )
  }

  /// The columns that another file must be read as texts.
  private static func texts(_ preparation: CSVPreparation, _ target: CSVTarget) -> Set<ExactText> {
    var names = Set<ExactText>()
    for column in preparation.columns {
      if case .categories = column.encoding { names.insert(ExactText(column.name)) }
    }
    if target.isText { names.insert(ExactText(target.name)) }
    return names
  }

  private static func dataset(
    _ table: CSVTable, _ rows: [Int], _ column: Int, _ target: CSVTarget, _ preparation: CSVPreparation,
    _ settings: [(key: String, value: String)], _ cleaning: inout CSVCleaning
  ) throws -> CSVDataset {
    let inputs = try preparation.inputs(table, rows: rows, counting: &cleaning)
    let shape: Shape = [preparation.width]
    let samples =
      if let classes = target.classes {
        try InMemoryDataset(
          name: table.path, inputs: inputs, shape: shape, labels: target.labels(table, column, rows: rows),
          classes: classes)
      } else {
        try InMemoryDataset(
          name: table.path, inputs: inputs, shape: shape, values: target.values(table, column, rows: rows))
      }
    return CSVDataset(samples, classNames: target.classNames, preparation: settings)
  }
}
