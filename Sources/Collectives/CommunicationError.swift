/// Why ranks could not go on together.
public struct CommunicationError: Error, CustomStringConvertible, Equatable {
  /// One line: which call on which rank failed, and how.
  public let description: String

  /// An error of this one line.
  public init(_ description: String) { self.description = description }
}
