/// The reason why ranks could not go on together.
public struct CommunicationError: Error, CustomStringConvertible, Equatable {
  /// The call that failed, on which rank and how, in one line.
  public let description: String

  /// An error with this line.
  public init(_ description: String) { self.description = description }
}
