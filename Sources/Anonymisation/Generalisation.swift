import Tensors

/// How the values of a column become coarser.
public enum Generalisation: Sendable {
  /// Numbers become intervals of this width: `[20, 30)`.
  case intervals(width: DecimalNumber)
  /// Texts keep this number of characters, and have a star for each other: `021**`.
  case prefix(Int)
  /// Values become those of a level of a hierarchy.
  case hierarchy(Hierarchy, level: Int)

  /// What stands for every value.
  static let star = "*"

  /// In words, for a report.
  var description: String {
    switch self {
    case .intervals(let width): "intervals of width \(width)"
    case .prefix(let count): "the first \(count) character\(count == 1 ? "" : "s")"
    case .hierarchy(_, let level): "level \(level) of its hierarchy"
    }
  }

  /// The next coarser one that says anything of `values`; nil if only a star is left.
  func coarser(for values: [String]) -> Generalisation? {
    switch self {
    case .intervals(let width):
      let numbers = values.compactMap { DecimalNumber($0)?.value }
      guard let least = numbers.min(), let most = numbers.max(), width.value <= most - least else { return nil }
      return width.doubled.map { .intervals(width: $0) }
    case .prefix(let count): return count > 1 ? .prefix(count - 1) : nil
    case .hierarchy(let hierarchy, let level):
      return level < hierarchy.levels ? .hierarchy(hierarchy, level: level + 1) : nil
    }
  }

  /// `values` of `column` in the table at `path`, coarser. An empty one, which nobody knows, stays empty. Throws ``AnonymisationError`` at one that cannot be.
  func apply(to values: [String], column: String, of path: String) throws(AnonymisationError) -> [String] {
    var known = [ExactText(""): ""]
    var result: [String] = []
    result.reserveCapacity(values.count)
    for (row, value) in values.enumerated() {
      if let own = known[ExactText(value)] {
        result.append(own)
        continue
      }
      let own: String
      switch self {
      case .intervals(let width):
        guard let number = DecimalNumber(value) else {
          throw .data(
            "\(path): row \(row + 1): \(quoted(value)) in column \(quoted(column)) is not a number that fits an interval; correct it, or take a prefix or "
              + "a hierarchy")
        }
        guard let interval = number.interval(width: width) else {
          throw .data(
            "\(path): row \(row + 1): \(quoted(value)) in column \(quoted(column)) has too many digits for intervals of \(width); correct it, "
              + "or take a hierarchy")
        }
        own = interval
      case .prefix(let count):
        own = String(value.prefix(count)) + String(repeating: Self.star, count: max(0, value.count - count))
      case .hierarchy(let hierarchy, let level):
        guard let coarse = hierarchy.value(value, level: level) else { throw hierarchy.missing(value, column: column) }
        own = coarse
      }
      known[ExactText(value)] = own
      result.append(own)
    }
    return result
  }
}
