/// A score with its name in files and reports.
public struct Score: Sendable, Hashable {
  public var name: String
  public var value: Double

  /// A score of this name.
  public init(_ name: String, _ value: Double) {
    self.name = name
    self.value = value
  }
}
