/// A fault of a YAML text, and its place.
public struct YAMLError: Error, CustomStringConvertible, Equatable {
  /// The fault in words.
  public let problem: String
  /// The line, counted from 1.
  public let line: Int
  /// The column, counted from 1.
  public let column: Int

  /// The place, then the fault.
  public var description: String { "line \(line), column \(column): \(problem)" }
}
