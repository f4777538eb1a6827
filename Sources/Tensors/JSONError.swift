/// A text that is not JSON, or that uses what ``JSONValue`` does not take.
public struct JSONError: JSONFault, Equatable, CustomStringConvertible {
  /// The place in the text, in bytes.
  public let offset: Int
  /// The problem, such as `expected ,`. Text from the file is quoted and shortened.
  public let problem: String
  /// `line 3, column 7: expected ,`; only the problem before the text is known.
  public private(set) var description: String

  private init(_ offset: Int, _ problem: String) {
    (self.offset, self.problem, description) = (offset, problem, problem)
  }

  public static func syntax(offset: Int, expected: String) -> JSONError { JSONError(offset, "expected \(expected)") }

  public static func duplicateKey(_ key: String, offset: Int) -> JSONError {
    JSONError(offset, "the key \(quoted(key)) is there twice")
  }

  /// The same with its line and column in `text`, both from 1, columns in bytes.
  func located(in text: [UInt8]) -> JSONError {
    let before = text.prefix(offset)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    var error = self
    error.description = "line \(line), column \(before.count - start + 1): \(problem)"
    return error
  }
}
