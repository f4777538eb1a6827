/// A text that names no augmentation.
public struct AugmentationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line: the text, what is wrong with it, and what there is.
  public let description: String

  init(_ description: String) { self.description = description }
}
