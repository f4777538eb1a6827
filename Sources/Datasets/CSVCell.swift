import Tensors

/// The meaning of a field's bytes, before its column is known.
enum CSVCell: Equatable {
  /// Nothing: the field is empty, or one of ``missingWords``.
  case missing
  /// A decimal number that a float holds, at least nearly.
  case number(Double)
  /// A number that no float holds.
  case infinite
  /// Anything else.
  case text

  /// The words for a value that is not known: those of pandas that are in use, and UCI's question mark.
  static let missingWords = ["NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "?"].map {
    Array($0.utf8)
  }

  private static let infiniteWords = ["inf", "infinity"].map { Array($0.utf8) }

  /// The powers of ten that a double holds exactly.
  private static let powers = (0...22).map { power in (0..<power).reduce(1.0) { value, _ in value * 10 } }

  /// Reads `text`.
  init(_ text: String) { self.init(Buffer(Array(text.utf8))) }

  /// Reads `bytes`, in which two quotes may stand for one: such a field is a text either way.
  init(_ bytes: Buffer<UInt8>) {
    if bytes.count == 0 || bytes.count <= 4 && Self.missingWords.contains(bytes.array) {
      self = .missing
    } else if let number = Self.number(bytes) {
      // A double above the largest float by less than its half step would still round to it; nobody needs that one.
      self = abs(number) <= Double(Float.greatestFiniteMagnitude) ? .number(number) : .infinite
    } else {
      let unsigned = Self.isSign(bytes[0]) ? bytes[1..<bytes.count] : bytes
      let isInfinite =
        unsigned.count <= 8
        && Self.infiniteWords.contains(unsigned.array.map { (65...90).contains($0) ? $0 + 32 : $0 })
      self = isInfinite ? .infinite : .text
    }
  }

  /// The number written as sign, digits, fraction and exponent in `bytes`, correctly rounded; infinite if it is too
  /// large; nil if they are anything else.
  ///
  /// Swift's own reader would take hexadecimal numbers and `nan` as well.
  private static func number(_ bytes: Buffer<UInt8>) -> Double? {
    var index = isSign(bytes[0]) ? 1 : 0
    var (mantissa, digits, decimals, isLong) = (0, 0, 0, false)
    func isDigit(_ index: Int) -> Bool { index < bytes.count && (48...57).contains(bytes[index]) }
    func take() {
      digits += 1
      // Fifteen digits, which a double holds exactly.
      isLong = isLong || mantissa >= 100_000_000_000_000
      if !isLong { mantissa = mantissa * 10 + Int(bytes[index] - 48) }
      index += 1
    }
    while isDigit(index) { take() }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      while isDigit(index) {
        take()
        decimals += 1
      }
    }
    guard digits > 0 else { return nil }
    if index == bytes.count, !isLong, decimals < powers.count {
      // One rounding, that of the division: both are exact (Clinger 1990, "How to Read Floating Point Numbers").
      let value = Double(mantissa) / powers[decimals]
      return bytes[0] == UInt8(ascii: "-") ? -value : value
    }
    if index < bytes.count {
      guard bytes[index] == UInt8(ascii: "e") || bytes[index] == UInt8(ascii: "E") else { return nil }
      index += 1
      if index < bytes.count, isSign(bytes[index]) { index += 1 }
      guard isDigit(index) else { return nil }
      while isDigit(index) { index += 1 }
      guard index == bytes.count else { return nil }
    }
    return Double(String(decoding: bytes.array, as: UTF8.self))
  }

  private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") }
}
