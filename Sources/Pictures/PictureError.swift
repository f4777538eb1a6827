/// A picture's file that cannot be used, and why: words to stand behind its name.
public struct PictureError: Error, CustomStringConvertible, Hashable {
  public let description: String

  /// An error with these words.
  public init(_ description: String) { self.description = description }
}
