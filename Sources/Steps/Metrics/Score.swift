/// A score with its name in files and reports.
public struct Score: Sendable, Hashable {
  /// The name in files and reports, such as `log_loss`.
  public var name: String
  /// The score.
  public var value: Double

  /// A score of this name.
  public init(_ name: String, _ value: Double) {
    self.name = name
    self.value = value
  }
}
