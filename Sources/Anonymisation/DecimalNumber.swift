/// A number as it is written in decimal, without rounding: `mantissa` · 10^−`decimals`. A width of 0.1 has no exact double, and 0.3 would fall
/// into the interval below its own.
public struct DecimalNumber: Sendable, Hashable, CustomStringConvertible {
  let mantissa: Int
  let decimals: Int

  init(mantissa: Int, decimals: Int) { (self.mantissa, self.decimals) = (mantissa, decimals) }

  /// The number in `text`: sign, digits, fraction; one with an exponent is taken as the nearest double is written. nil of anything else, and
  /// of more digits than an integer holds.
  public init?(_ text: String) {
    if let number = Self.plain(text) {
      self = number
      return
    }
    // No names and no hexadecimal numbers, which Swift would read.
    guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }), let value = Double(text),
      value.isFinite
    else { return nil }
    if let whole = Int(exactly: value) {
      self.init(mantissa: whole, decimals: 0)
    } else if let number = Self.plain("\(value)") {
      self = number
    } else {
      return nil
    }
  }

  private static func plain(_ text: String) -> DecimalNumber? {
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.joined()
    guard digits.count >= 1, digits.allSatisfy({ (48...57).contains($0) }),
      let magnitude = Int(String(decoding: Array(digits), as: UTF8.self))
    else { return nil }
    return DecimalNumber(mantissa: isNegative ? -magnitude : magnitude, decimals: parts.count == 2 ? parts[1].count : 0)
  }

  /// Whether it is above zero.
  public var isPositive: Bool { mantissa > 0 }

  /// The nearest double.
  var value: Double { Double(description) ?? .nan }

  /// The mantissa with this number of decimals, at least its own; nil if no integer holds it.
  func mantissa(decimals: Int) -> Int? {
    var scaled = mantissa
    for _ in self.decimals..<decimals {
      let (product, isTooLarge) = scaled.multipliedReportingOverflow(by: 10)
      if isTooLarge { return nil }
      scaled = product
    }
    return scaled
  }

  /// `[20, 30)`, the interval of this `width` that the number is in, from a multiple of the width on; nil if its numbers do not fit.
  func interval(width: DecimalNumber) -> String? {
    let decimals = max(decimals, width.decimals)
    guard let number = mantissa(decimals: decimals), let width = width.mantissa(decimals: decimals), width > 0 else {
      return nil
    }
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: width)
    let (low, isTooLow) = (remainder < 0 ? quotient - 1 : quotient).multipliedReportingOverflow(by: width)
    let (high, isTooHigh) = low.addingReportingOverflow(width)
    guard !isTooLow && !isTooHigh else { return nil }
    return
      "[\(DecimalNumber(mantissa: low, decimals: decimals)), \(DecimalNumber(mantissa: high, decimals: decimals)))"
  }

  /// Twice the number; nil if no integer holds it.
  var doubled: DecimalNumber? {
    let (product, isTooLarge) = mantissa.multipliedReportingOverflow(by: 2)
    return isTooLarge ? nil : DecimalNumber(mantissa: product, decimals: decimals)
  }

  /// The number without zeros behind its last decimal.
  public var description: String {
    let digits = String(mantissa.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    var fraction = padded.suffix(decimals)
    while fraction.last == "0" { fraction.removeLast() }
    let text = padded.dropLast(decimals) + (fraction.isEmpty ? "" : "." + fraction)
    return (mantissa < 0 ? "-" : "") + text
  }
}
