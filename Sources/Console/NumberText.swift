import Glibc

/// `number` with commas: `12,345`.
public func grouped(_ number: Int) -> String {
  var digits = Array(String(abs(number)))
  for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: index) }
  return (number < 0 ? "-" : "") + String(digits)
}

/// `number` without decimals, with commas; as Swift writes it if no integer holds it.
public func grouped(_ number: Double) -> String { abs(number) < 0x1p53 ? grouped(Int(number)) : "\(number)" }

/// `number` with this number of decimals.
public func fixed(_ number: Double, _ decimals: Int) -> String {
  let scale = pow(10, Double(decimals))
  // Beyond 2⁵³ a double has no decimals, and further on no integer holds it.
  guard number.isFinite, abs(number) * scale < 0x1p53 else { return "\(number)" }
  let rounded = Int((abs(number) * scale).rounded())
  let sign = number < 0 && rounded != 0 ? "-" : ""
  guard decimals > 0 else { return sign + String(rounded) }
  let digits = String(rounded)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// A part of 1 in percent: `27 %`; below a tenth with one decimal: `7.1 %`.
public func percent(_ part: Double) -> String { fixed(part * 100, part < 0.1 ? 1 : 0) + " %" }

/// A time in seconds as text: `3 s`, `2 min 05 s`, `1 h 07 min`.
package func duration(_ seconds: Double) -> String {
  let whole = Int(min(max(0, seconds.isFinite ? seconds : 0), 0x1p53).rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s" }
  return "\(whole / 3600) h \(whole / 60 % 60 < 10 ? "0" : "")\(whole / 60 % 60) min"
}

/// A number as files for programs have it: a whole one without decimals, and `NaN`, `Infinity` or `-Infinity`.
package func plain(_ number: Double) -> String {
  if number.isNaN { return "NaN" }
  if number.isInfinite { return number > 0 ? "Infinity" : "-Infinity" }
  return number == number.rounded() && abs(number) < 0x1p53 ? "\(Int(number))" : "\(number)"
}
