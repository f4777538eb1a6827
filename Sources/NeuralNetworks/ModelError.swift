/// A model that cannot be built as asked: always the user's choice, so the exit code is 64.
public struct ModelError: Error, CustomStringConvertible, Equatable {
  /// The problem and the remedy, in one line.
  public let description: String

  /// An error with this line.
  public init(_ description: String) { self.description = description }
}
