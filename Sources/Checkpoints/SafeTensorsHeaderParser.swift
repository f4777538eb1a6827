import Tensors

/// Parses the JSON of a header and nothing else: an object of objects, strings and non-negative integers, in UTF-8.
///
/// A general JSON decoder would lose the order of the keys, keep one of two equal keys without a word, hide the place
/// of the file's checksum, and follow nesting as deep as a hostile file likes. This parser never recurses, and
/// allocates in proportion to the header. Two keys are equal if their bytes are: é, and e with an accent behind it, are
/// two names.
struct SafeTensorsHeaderParser {
  typealias Problem = SafeTensorsError.Problem

  struct Tensor {
    let name: String
    let elementType: String
    let extents: [Int]
    let begin: Int
    let end: Int
  }

  private let bytes: [UInt8]
  private var position = 0
  private var tensors: [Tensor] = []
  private var metadata: [SafeTensorsHeader.MetadataEntry] = []
  private var fileChecksumOffset: Int?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func parse() throws(Problem) -> (
    tensors: [Tensor], metadata: [SafeTensorsHeader.MetadataEntry], fileChecksumOffset: Int?
  ) {
    // The format wants no white space before the brace, and only spaces after its partner.
    guard bytes.first == UInt8(ascii: "{") else { throw expected("{") }
    var keys: Set<ExactText> = []
    try pass("{")
    while let key = try nextKey(&keys) {
      if key == SafeTensors.metadataKey {
        if next() == UInt8(ascii: "n") { try null() } else { try parseMetadata() }
      } else {
        try parseTensor(key)
      }
    }
    while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
    if position < bytes.count { throw expected("only spaces after the header") }
    return (tensors, metadata, fileChecksumOffset)
  }

  private mutating func parseMetadata() throws(Problem) {
    var keys: Set<ExactText> = []
    try pass("{")
    while let key = try nextKey(&keys) {
      let start = position
      let value = try string()
      metadata.append(.init(key: key, value: value))
      guard key == SafeTensors.fileChecksumKey else { continue }
      // Its digits must stand in the file unescaped, because the checksum is computed with zeros in their place.
      guard position - start == 66, value.utf8.count == 64 else { throw .checksumMalformed(key: key) }
      fileChecksumOffset = start + 1
    }
  }

  private mutating func parseTensor(_ name: String) throws(Problem) {
    var elementType: String?
    var extents: [Int]?
    var offsets: [Int]?
    var keys: Set<ExactText> = []
    try pass("{")
    while let key = try nextKey(&keys) {
      switch key {
      case "dtype": elementType = try string()
      case "shape": extents = try integers()
      case "data_offsets": offsets = try integers()
      default: throw expected("dtype, shape or data_offsets instead of \(quoted(key))")
      }
    }
    guard let elementType, let extents, let offsets, offsets.count == 2 else {
      throw expected("dtype, shape and two data_offsets for tensor \(quoted(name))")
    }
    tensors.append(
      Tensor(name: name, elementType: elementType, extents: extents, begin: offsets[0], end: offsets[1]))
  }

  /// `null`, which stands for no metadata.
  private mutating func null() throws(Problem) {
    guard bytes[position...].starts(with: "null".utf8) else { throw expected("null or an object") }
    position += 4
  }

  // MARK: JSON

  private func expected(_ what: String) -> Problem { .headerSyntax(offset: position, expected: what) }

  /// The next byte that is not white space, not yet passed; 0 at the end.
  private mutating func next() -> UInt8 {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return 0
  }

  private mutating func pass(_ character: Unicode.Scalar) throws(Problem) {
    guard next() == UInt8(ascii: character) else { throw expected("\(character)") }
    position += 1
  }

  /// An object's next key, passed with the colon behind it; nil once the object's end is passed. `keys` holds the
  /// object's keys so far, empty behind its opening brace.
  private mutating func nextKey(_ keys: inout Set<ExactText>) throws(Problem) -> String? {
    if keys.isEmpty ? next() == UInt8(ascii: "}") : next() != UInt8(ascii: ",") {
      try pass("}")
      return nil
    }
    if !keys.isEmpty { position += 1 }
    let key = try string()
    guard keys.insert(ExactText(key)).inserted else { throw .duplicateKey(key) }
    try pass(":")
    // White space is passed here so that the caller is at the first byte of the member.
    _ = next()
    return key
  }

  /// `[integer, …]`.
  private mutating func integers() throws(Problem) -> [Int] {
    try pass("[")
    if next() == UInt8(ascii: "]") {
      position += 1
      return []
    }
    var numbers: [Int] = []
    while true {
      // No array has more axes, and every shape must fit in a message.
      if numbers.count == 64 { throw expected("at most 64 integers") }
      numbers.append(try integer())
      if next() == UInt8(ascii: ",") {
        position += 1
      } else {
        try pass("]")
        return numbers
      }
    }
  }

  private mutating func integer() throws(Problem) -> Int {
    _ = next()
    let start = position
    var number = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(bytes[position] & 15))
      if overflow || carry { throw expected("an integer below 2^63") }
      number = sum
      position += 1
    }
    if position == start { throw expected("a non-negative integer") }
    if position - start > 1, bytes[start] == UInt8(ascii: "0") { throw expected("an integer without leading zeros") }
    return number
  }

  private mutating func string() throws(Problem) -> String {
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

  /// The character that an escape stands for, read behind the backslash.
  private mutating func escape() throws(Problem) -> Unicode.Scalar {
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
  private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
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

  private mutating func codeUnit() throws(Problem) -> UInt32 {
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
