/// A number out of its range, or a privacy target that no noise reaches.
public struct PrivacyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line: the value, and what is wrong with it.
  public let description: String

  init(_ description: String) { self.description = description }

  /// Throws if `delta` is not between 0 and 1, both excluded.
  static func check(delta: Double) throws(PrivacyError) {
    guard delta > 0 && delta < 1 else { throw PrivacyError("delta \(delta) is not between 0 and 1") }
  }
}
