/// A model that cannot be built as asked: always the user's choice of flags, so exit code 64.
public struct ModelError: Error, CustomStringConvertible, Equatable {
  /// One line: what is wrong and what to do.
  public let description: String

  /// An error of this one line.
  public init(_ description: String) { self.description = description }
}
