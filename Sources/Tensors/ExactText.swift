/// Text compared by its bytes, as files compare names. Swift holds two strings equal that look alike: é as one scalar, and as an
/// e with an accent behind it.
public struct ExactText: Hashable, Sendable {
  /// The text.
  public let text: String

  /// `text`, to be compared by its bytes.
  public init(_ text: String) { self.text = text }

  /// Whether the bytes are the same.
  public static func == (left: ExactText, right: ExactText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}
