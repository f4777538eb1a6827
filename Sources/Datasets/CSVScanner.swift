import Tensors

/// Cuts the bytes of a CSV file into fields, one at a time, and allocates nothing.
///
/// The format is RFC 4180's: fields between commas; a field in quotes may hold commas, line breaks and, written twice,
/// quotes. Read as well is what other programs write: a line ends with LF, CR LF or CR, the last line perhaps not at
/// all; a byte order mark of UTF-8 may stand in front; blanks around a field do not count unless they are in quotes;
/// blank lines do not count.
struct CSVScanner {
  /// One field.
  struct Field {
    /// Its bytes, without the quotes around it.
    var range: Range<Int>
    /// Whether two quotes in it stand for one.
    var hasDoubledQuotes = false
    /// The line in which it begins, from 1.
    var line: Int
    /// Whether it is the last of its row.
    var endsRow = false
  }

  private let path: String
  private let bytes: Buffer<UInt8>
  private var position = 0
  private var line = 1
  /// Whether a comma has been read behind which a field must follow.
  private var isInRow = false

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// A scanner at the beginning of `bytes`, the content of the file at `path`.
  init(_ bytes: Buffer<UInt8>, path: String) {
    (self.bytes, self.path) = (bytes, path)
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
  }

  /// The next field; nil at the end of the file. Throws if quotes are not as they must be.
  mutating func next() throws(CSVError) -> Field? {
    if !isInRow {
      skipBlankLines()
      guard position < bytes.count else { return nil }
    }
    skipBlanks()
    var field = try isAt(Self.quote) ? quotedField() : plainField()
    field.endsRow = endField()
    return field
  }

  /// The bytes of `field` as they stand in the file, where two quotes may stand for one.
  func bytes(of field: Field) -> Buffer<UInt8> { bytes[field.range] }

  /// The bytes of `field`, with one quote for each two.
  func content(of field: Field) -> [UInt8] {
    guard field.hasDoubledQuotes else { return bytes[field.range].array }
    var content: [UInt8] = []
    var index = field.range.lowerBound
    while index < field.range.upperBound {
      content.append(bytes[index])
      index += bytes[index] == Self.quote ? 2 : 1
    }
    return content
  }

  private func isAt(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }

  private var isAtLineEnd: Bool { isAt(Self.lineFeed) || isAt(Self.carriageReturn) }

  private mutating func skipBlanks() {
    while isAt(UInt8(ascii: " ")) || isAt(UInt8(ascii: "\t")) { position += 1 }
  }

  private mutating func skipBlankLines() {
    while true {
      skipBlanks()
      guard isAtLineEnd else { return }
      endLine()
    }
  }

  /// Steps over a line's end.
  private mutating func endLine() {
    let isReturn = bytes[position] == Self.carriageReturn
    position += 1
    if isReturn && isAt(Self.lineFeed) { position += 1 }
    line += 1
  }

  /// Steps over what ends a field. Returns whether it ends the row too.
  private mutating func endField() -> Bool {
    isInRow = isAt(Self.comma)
    if isInRow {
      position += 1
    } else if position < bytes.count {
      endLine()
    }
    return !isInRow
  }

  private mutating func plainField() throws(CSVError) -> Field {
    let start = position
    var end = position
    while position < bytes.count, !isAt(Self.comma), !isAtLineEnd {
      let byte = bytes[position]
      guard byte != Self.quote else { throw CSVError(path: path, line: line, cause: .strayQuote) }
      position += 1
      if byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") { end = position }
    }
    return Field(range: start..<end, line: line)
  }

  private mutating func quotedField() throws(CSVError) -> Field {
    let firstLine = line
    position += 1
    var field = Field(range: position..<position, line: firstLine)
    let start = position
    while true {
      guard position < bytes.count else { throw CSVError(path: path, line: firstLine, cause: .openQuote) }
      if isAtLineEnd {
        endLine()
      } else if bytes[position] != Self.quote {
        position += 1
      } else if position + 1 < bytes.count, bytes[position + 1] == Self.quote {
        field.hasDoubledQuotes = true
        position += 2
      } else {
        break
      }
    }
    field.range = start..<position
    position += 1
    skipBlanks()
    guard position == bytes.count || isAt(Self.comma) || isAtLineEnd else {
      throw CSVError(path: path, line: line, cause: .textBehindQuote)
    }
    return field
  }
}
