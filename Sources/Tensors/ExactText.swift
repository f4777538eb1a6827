/// Text that is compared by its bytes, as file systems compare names. To Swift, two strings that look alike are equal:
/// é, and e with an accent behind it.
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
