import Tensors

/// The rows of a table in classes: those with the same values in some columns.
struct RowClasses {
  /// The class of each row, numbered in the order in which they appear.
  private(set) var ofRow: [Int]
  /// The rows of each class.
  private(set) var sizes: [Int]

  /// The classes of `rows` rows by `columns`; one class without columns.
  init(_ columns: [[String]], rows: Int) {
    ofRow = [Int](repeating: 0, count: rows)
    var count = 1
    for column in columns {
      let codes = Self.codes(column)
      var pairs: [SIMD2<Int>: Int] = [:]
      for row in 0..<rows {
        let pair = SIMD2(ofRow[row], codes[row])
        let own = pairs[pair] ?? pairs.count
        pairs[pair] = own
        ofRow[row] = own
      }
      count = pairs.count
    }
    sizes = [Int](repeating: 0, count: count)
    for own in ofRow { sizes[own] += 1 }
  }

  /// A number for each value, the same for the same bytes.
  static func codes(_ column: [String]) -> [Int] {
    var codes: [ExactText: Int] = [:]
    return column.map { value in
      let key = ExactText(value)
      if let code = codes[key] { return code }
      codes[key] = codes.count
      return codes.count - 1
    }
  }

  /// The number of different values.
  static func distinct(_ column: [String]) -> Int { (codes(column).max() ?? -1) + 1 }
}
