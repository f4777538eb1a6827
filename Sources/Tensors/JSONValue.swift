/// A JSON text (RFC 8259) as a value. Objects keep the order of their keys, and have each once; numbers are kept as they
/// are written, so that none is rounded or overflows before somebody says what it should be.
public indirect enum JSONValue: Hashable, Sendable, CustomStringConvertible {
  /// `null`.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// The number's text, such as `28` or `1e-5`.
  case number(String)
  /// A text, without its quotes and escapes.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object: its members, in their order.
  case object([Member])

  /// A key of an object, and its value.
  public struct Member: Hashable, Sendable {
    /// The key.
    public let key: String
    /// The value.
    public var value: JSONValue

    /// `value` under `key`.
    public init(_ key: String, _ value: JSONValue) { (self.key, self.value) = (key, value) }
  }

  /// The most arrays and objects within one another.
  public static let mostLevels = 64

  /// The value of the whole text. Throws ``JSONError`` with the line and column if it is not JSON, has a key twice in one
  /// object, or more than ``mostLevels`` levels.
  public init(_ text: [UInt8]) throws(JSONError) {
    do throws(JSONError) {
      var reader = JSONReader<JSONError>(text)
      self = try Self.value(&reader, levels: Self.mostLevels)
      _ = reader.next()
      if reader.position < text.count { throw reader.expected("nothing behind the value") }
    } catch {
      throw error.located(in: text)
    }
  }

  /// The members of an object; nil of anything else.
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// The value of an object's key; nil if there is none.
  public subscript(key: String) -> JSONValue? {
    members?.first { ExactText($0.key) == ExactText(key) }?.value
  }

  private static func value(
    _ reader: inout JSONReader<JSONError>, levels: Int
  ) throws(JSONError) -> JSONValue {
    let first = reader.next()
    switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard levels > 0 else { throw reader.expected("at most \(mostLevels) levels of brackets") }
      return first == UInt8(ascii: "{")
        ? try object(&reader, levels: levels - 1) : try array(&reader, levels: levels - 1)
    case UInt8(ascii: "\""): return .string(try reader.string())
    case UInt8(ascii: "-"), 0x30...0x39: return .number(try reader.number())
    case UInt8(ascii: "t"):
      try reader.pass(word: "true", or: "another value")
      return .boolean(true)
    case UInt8(ascii: "f"):
      try reader.pass(word: "false", or: "another value")
      return .boolean(false)
    case UInt8(ascii: "n"):
      try reader.pass(word: "null", or: "another value")
      return .null
    default: throw reader.expected("a value")
    }
  }

  private static func object(
    _ reader: inout JSONReader<JSONError>, levels: Int
  ) throws(JSONError) -> JSONValue {
    var keys: Set<ExactText> = []
    var members: [Member] = []
    try reader.pass("{")
    while let key = try reader.nextKey(&keys) { members.append(Member(key, try value(&reader, levels: levels))) }
    return .object(members)
  }

  private static func array(
    _ reader: inout JSONReader<JSONError>, levels: Int
  ) throws(JSONError) -> JSONValue {
    var elements: [JSONValue] = []
    try reader.pass("[")
    while try reader.hasNextElement(isFirst: elements.isEmpty) { elements.append(try value(&reader, levels: levels)) }
    return .array(elements)
  }

  // MARK: Text

  /// The JSON text on one line: `{"type": "Dense", "units": 10}`.
  public var description: String { text(indentation: nil) }

  /// The JSON text for people: an array of objects has a line for each of them, everything else stays on its line.
  public var lines: String { text(indentation: 0) }

  /// `indentation` is that of the line that the text begins on; nil for one line.
  private func text(indentation: Int?) -> String {
    switch self {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .number(let text): return text
    case .string(let text): return Self.literal(text)
    case .object(let members):
      let texts = members.map { "\(Self.literal($0.key)): \($0.value.text(indentation: indentation))" }
      return "{\(texts.joined(separator: ", "))}"
    case .array(let elements):
      guard let indentation, elements.contains(where: { $0.members != nil }) else {
        return "[\(elements.map { $0.text(indentation: indentation) }.joined(separator: ", "))]"
      }
      let margin = String(repeating: " ", count: indentation + 2)
      let texts = elements.map { margin + $0.text(indentation: indentation + 2) }
      return "[\n\(texts.joined(separator: ",\n"))\n\(String(repeating: " ", count: indentation))]"
    }
  }

  private static func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where !isVisible(scalar): result += escape(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// `scalar` as it stands in a JSON text by its number.
  package static func escape(_ scalar: Unicode.Scalar) -> String {
    scalar.utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}
