import Tensors

/// The target's column: its task, and its classes if it has any.
struct CSVTarget {
  /// The name of the column.
  let name: String
  let task: CSVTask
  /// What the classes are.
  private let kind: Kind

  private enum Kind {
    /// No classes: the numbers themselves are the targets.
    case numbers
    /// Each of these numbers, in rising order, is a class.
    case numberClasses([Double])
    /// Each of these texts, in the order of their bytes, is a class.
    case textClasses([String])
  }

  /// The most different whole numbers that are taken for classes if no task is given.
  static let mostFoundClasses = 20

  /// The target in `column` of `rows`. If `task` is nil, it is found:
  ///
  /// - texts are classes;
  /// - numbers are classes if they are whole and at most ``mostFoundClasses`` different ones;
  /// - two classes are a binary task.
  ///
  /// Throws if the column does not suit the task.
  init(_ table: CSVTable, _ column: Int, rows: [Int], task: CSVTask?) throws(CSVError) {
    name = table.names[column]
    let distinct = Set(rows.lazy.map { table.value(column, $0) })
    if case .texts(let texts) = table.columns[column], task != .regress {
      self.kind = .textClasses(distinct.sorted().map { texts[Int($0)] })
      self.task = task ?? (distinct.count == 2 ? .binary : .classify)
    } else {
      let areWhole = distinct.count <= Self.mostFoundClasses && distinct.allSatisfy { $0 == $0.rounded() }
      let found = !areWhole ? CSVTask.regress : distinct.count == 2 ? .binary : .classify
      self.task = task ?? found
      self.kind = (task ?? found) == .regress ? .numbers : .numberClasses(distinct.sorted())
    }
    guard self.task != .regress else { return }
    if self.task == .binary, distinct.count != 2 {
      throw CSVError(path: table.path, cause: .notTwoClasses(distinct.count, column: name))
    }
    guard distinct.count <= Classes.most else { throw CSVError(path: table.path, cause: .tooManyClasses(column: name)) }
  }

  /// Whether the column must be read as texts.
  var isText: Bool { if case .textClasses = kind { true } else { false } }

  /// The classes' labels; nil if there are none. Whole numbers without a gap are their own labels, all else is
  /// numbered from 0.
  var classes: Classes? {
    switch kind {
    case .numbers: nil
    case .numberClasses(let numbers): Classes(checking: numbers.count, firstLabel: Self.firstLabel(numbers))
    case .textClasses(let texts): Classes(checking: texts.count, firstLabel: 0)
    }
  }

  /// What the classes stand for, in their order; nil if there are none.
  var classNames: [String]? {
    switch kind {
    case .numbers: nil
    case .numberClasses(let numbers): numbers.map { Int(exactly: $0).map(String.init) ?? "\($0)" }
    case .textClasses(let texts): texts
    }
  }

  private static func firstLabel(_ numbers: [Double]) -> Int {
    guard let first = Int32(exactly: numbers[0]), numbers.count <= Classes.most else { return 0 }
    let hasGap = numbers.enumerated().contains { $1 != Double(first) + Double($0) }
    return hasGap || Classes(checking: numbers.count, firstLabel: Int(first)) == nil ? 0 : Int(first)
  }

  /// The labels of `rows` of `table`, whose target is in `column`. Throws at one that is of no class.
  func labels(_ table: CSVTable, _ column: Int, rows: [Int]) throws(CSVError) -> Buffer<Int32> {
    let labels: Buffer<Int32> = try table.memory(rows.count)
    switch kind {
    case .numbers: preconditionFailure("a target of numbers has no labels")
    case .numberClasses(let numbers):
      let first = Self.firstLabel(numbers)
      let places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
      for (index, row) in rows.enumerated() {
        let number = try table.number(column, row)
        guard let place = places[number] else { throw unknown(table, "\(number)", row) }
        labels[index] = Int32(first + place)
      }
    case .textClasses(let texts):
      guard case .texts(let own) = table.columns[column] else {
        preconditionFailure("a target of texts was not read so")
      }
      let places = Dictionary(uniqueKeysWithValues: texts.enumerated().map { (ExactText($1), $0) })
      for (index, row) in rows.enumerated() {
        let text = own[Int(table.value(column, row))]
        guard let place = places[ExactText(text)] else { throw unknown(table, text, row) }
        labels[index] = Int32(place)
      }
    }
    return labels
  }

  /// The numbers of `rows` of `table`, whose target is in `column`.
  func values(_ table: CSVTable, _ column: Int, rows: [Int]) throws(CSVError) -> Buffer<Float> {
    let values: Buffer<Float> = try table.memory(rows.count)
    for (index, row) in rows.enumerated() { values[index] = Float(try table.number(column, row)) }
    return values
  }

  private func unknown(_ table: CSVTable, _ text: String, _ row: Int) -> CSVError {
    CSVError(path: table.path, line: table.line(of: row), cause: .unknownClass(text, column: name))
  }
}
