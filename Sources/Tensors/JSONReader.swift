/// Reads the tokens of a JSON text (RFC 8259) in UTF-8, one after another.
///
/// It refuses an object's second key of one name, never recurses, and allocates in proportion to the text: what it reads
/// may be hostile. Two keys are equal if their bytes are: é, and e with an accent behind it, are two names.
public struct JSONReader<Fault: JSONFault> {
  /// The text.
  public let bytes: [UInt8]
  /// The place of the next byte that is not read yet.
  public var position = 0

  /// A reader at the beginning of `bytes`.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The error that something else than `what` stands here.
  public func expected(_ what: String) -> Fault { Fault.syntax(offset: position, expected: what) }

  /// The next byte that is not white space, not yet passed; 0 at the end.
  public mutating func next() -> UInt8 {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return 0
  }

  /// Passes `character`, and white space before it.
  public mutating func pass(_ character: Unicode.Scalar) throws(Fault) {
    guard next() == UInt8(ascii: character) else { throw expected("\(character)") }
    position += 1
  }

  /// Passes `word`, such as `null`, which must stand here.
  public mutating func pass(word: String, or other: String) throws(Fault) {
    guard bytes[position...].starts(with: word.utf8) else { throw expected("\(word) or \(other)") }
    position += word.utf8.count
  }

  /// An object's next key, passed with the colon behind it; nil once the object's end is passed. `keys` holds the
  /// object's keys so far, empty behind its opening brace.
  public mutating func nextKey(_ keys: inout Set<ExactText>) throws(Fault) -> String? {
    if keys.isEmpty ? next() == UInt8(ascii: "}") : next() != UInt8(ascii: ",") {
      try pass("}")
      return nil
    }
    if !keys.isEmpty { position += 1 }
    _ = next()
    let start = position
    let key = try string()
    guard keys.insert(ExactText(key)).inserted else { throw Fault.duplicateKey(key, offset: start) }
    try pass(":")
    // White space is passed here so that the caller is at the first byte of the member.
    _ = next()
    return key
  }

  /// Whether an array goes on: passes the comma before its next element, or its end. `isFirst` behind its opening
  /// bracket.
  public mutating func hasNextElement(isFirst: Bool) throws(Fault) -> Bool {
    if isFirst ? next() == UInt8(ascii: "]") : next() != UInt8(ascii: ",") {
      try pass("]")
      return false
    }
    if !isFirst { position += 1 }
    return true
  }

  /// A string, in its quotes.
  public mutating func string() throws(Fault) -> String {
    try pass("\"")
    let start = position
    var unescaped: [UInt8]?
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let content = unescaped ?? Array(bytes[start..<position])
        guard let string = String(validating: content, as: UTF8.self) else { throw expected("UTF-8") }
        position += 1
        return string
      case UInt8(ascii: "\\"):
        if unescaped == nil { unescaped = Array(bytes[start..<position]) }
        position += 1
        let scalar = try escape()
        unescaped?.append(contentsOf: Array(String(scalar).utf8))
      case 0..<0x20:
        throw expected("no control character in a string")
      default:
        unescaped?.append(byte)
        position += 1
      }
    }
    throw expected("the end of a string")
  }

  /// A number as it is written: `-1.5e3`.
  public mutating func number() throws(Fault) -> String {
    _ = next()
    let start = position
    passOptional("-")
    let whole = position
    try passDigits()
    if position - whole > 1, bytes[whole] == UInt8(ascii: "0") { throw expected("a number without leading zeros") }
    if passOptional(".") { try passDigits() }
    if passOptional("e") || passOptional("E") {
      if !passOptional("+") { passOptional("-") }
      try passDigits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  @discardableResult
  private mutating func passOptional(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func passDigits() throws(Fault) {
    let start = position
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    if position == start { throw expected("a digit") }
  }

  /// The character that an escape stands for, read behind the backslash.
  private mutating func escape() throws(Fault) -> Unicode.Scalar {
    guard position < bytes.count else { throw expected("an escape") }
    let byte = bytes[position]
    let scalar: Unicode.Scalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(byte)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{C}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    case UInt8(ascii: "u"):
      position += 1
      return try unicodeEscape()
    default: throw expected("an escape")
    }
    position += 1
    return scalar
  }

  /// The character of `\uXXXX`, read behind the `u`, or of two of them that are a surrogate pair.
  private mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw expected("a pair of surrogates") }
    position += 2
    let second = try codeUnit()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw expected("a pair of surrogates") }
    return scalar
  }

  private mutating func codeUnit() throws(Fault) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw expected("four hexadecimal digits")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}
