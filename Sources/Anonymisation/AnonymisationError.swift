import Tensors

/// A plan that cannot be carried out on a table, in one line: what is wrong, where, and what to do.
public struct AnonymisationError: Error, CustomStringConvertible, Hashable {
  /// Whether the plan is at fault (exit code 64); else a file's content is (65).
  public let isUsage: Bool
  /// The line.
  public let description: String

  static func usage(_ line: String) -> AnonymisationError { AnonymisationError(isUsage: true, line) }
  static func data(_ line: String) -> AnonymisationError { AnonymisationError(isUsage: false, line) }

  private init(isUsage: Bool, _ line: String) { (self.isUsage, description) = (isUsage, singleLine(line)) }
}
