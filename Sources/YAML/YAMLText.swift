import Tensors

/// A YAML text (yaml.org/spec/1.2.2) as the value that JSON would have.
///
/// A plain word is null, a truth value, a number or a text by the core schema, and all that is quoted is a text. Refused are what a list of
/// settings does without: anchors and aliases, by which a small file can stand for gigabytes; tags; a second document; a key that is no
/// text, or is there twice.
public struct YAMLText {
  /// The value of the whole text; null if it is empty.
  public let value: JSONValue

  /// Reads a text of one document, in UTF-8. Throws ``YAMLError``; also for more than ``JSONValue/mostLevels`` levels.
  public init(_ bytes: [UInt8]) throws(YAMLError) {
    let events = YAMLEvents(bytes)
    guard case .documentStart = try events.next() else {
      value = .null
      return
    }
    value = try Self.value(try events.next(), events, levels: JSONValue.mostLevels)
    while true {
      switch try events.next() {
      case .documentEnd: continue
      case .streamEnd: return
      default: throw events.fault("a second document; give one")
      }
    }
  }

  /// The value that begins with `event`.
  private static func value(
    _ event: YAMLEvents.Event, _ events: YAMLEvents, levels: Int
  ) throws(YAMLError) -> JSONValue {
    switch event {
    case .scalar(let text, let isPlain): return isPlain ? plain(text) : .string(text)
    case .mappingStart:
      guard levels > 0 else { throw events.fault("more than \(JSONValue.mostLevels) levels") }
      return .object(try members(events, levels: levels - 1))
    case .sequenceStart:
      guard levels > 0 else { throw events.fault("more than \(JSONValue.mostLevels) levels") }
      var values: [JSONValue] = []
      while true {
        let next = try events.next()
        if case .sequenceEnd = next { return .array(values) }
        values.append(try value(next, events, levels: levels - 1))
      }
    default: throw events.fault("a value is missing")
    }
  }

  private static func members(_ events: YAMLEvents, levels: Int) throws(YAMLError) -> [JSONValue.Member] {
    var keys: Set<ExactText> = []
    var members: [JSONValue.Member] = []
    while true {
      let next = try events.next()
      if case .mappingEnd = next { return members }
      guard case .scalar(let key, _) = next else { throw events.fault("a key that is no text") }
      guard keys.insert(ExactText(key)).inserted else { throw events.fault("the key \(quoted(key)) a second time") }
      members.append(JSONValue.Member(key, try value(try events.next(), events, levels: levels)))
    }
  }

  /// A word without quotes, by the core schema (yaml.org/spec/1.2.2, 10.3.2).
  private static func plain(_ text: String) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": .null
    case "true", "True", "TRUE": .boolean(true)
    case "false", "False", "FALSE": .boolean(false)
    default: isNumber(text) ? .number(text) : .string(text)
    }
  }

  /// Whether `text` is a decimal number: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
  private static func isNumber(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    func dropSign() { if let first = rest.first, first == 0x2B || first == 0x2D { rest.removeFirst() } }
    func dropDigits() -> Int {
      let digits = rest.prefix(while: isDigit).count
      rest.removeFirst(digits)
      return digits
    }
    dropSign()
    var digits = dropDigits()
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      digits += dropDigits()
    }
    guard digits > 0 else { return false }
    guard let mark = rest.first else { return true }
    guard mark | 0x20 == UInt8(ascii: "e") else { return false }
    rest.removeFirst()
    dropSign()
    return dropDigits() > 0 && rest.isEmpty
  }
}
