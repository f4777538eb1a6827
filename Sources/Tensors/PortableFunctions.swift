// Functions of +, −, · and / alone, each rounded as IEEE 754 says, so that their bits are the same with every C library and processor.

/// The natural logarithm of `x`, a normal number above 0, to about 2⁻⁵² of itself or, near 1, of 1.
///
/// x = 2ⁿ·m with m in √½…√2, and log m = 2·artanh((m − 1)/(m + 1)) by its series to the 23rd power: what is left out is below 2⁻⁶⁰.
public func portableLog(_ x: Double) -> Double {
  precondition(x > 0 && x.isNormal, "the logarithm of \(x)")
  var (n, m) = (Double(x.exponent), x.significand)
  if m > 2.0.squareRoot() {
    m /= 2
    n += 1
  }
  let s = (m - 1) / (m + 1)
  let square = s * s
  var series = 0.0
  for power in stride(from: 23, through: 1, by: -2) { series = series * square + 1 / Double(power) }
  return n * naturalLogOf2 + 2 * s * series
}

/// eˣ to about 2⁻⁵⁰ of itself; 0 below −708, where it would be no normal number, and infinite above 709.
///
/// x = n·ln 2 + r with |r| ≤ ½·ln 2, and eʳ by its series to the 14th power: what is left out is below 2⁻⁶⁰.
public func portableExp(_ x: Double) -> Double {
  precondition(!x.isNaN, "e to the power of no number")
  if x < -708 { return 0 }
  if x > 709 { return .infinity }
  let n = (x / naturalLogOf2).rounded()
  // The product with the high part is exact: it has 21 bits fewer than a double.
  let r = (x - n * highPartOfLog2) - n * lowPartOfLog2
  var series = 1.0
  for power in stride(from: 14, through: 1, by: -1) { series = 1 + series * r / Double(power) }
  return Double(sign: .plus, exponent: Int(n), significand: series)
}

/// ln 2.
private let naturalLogOf2 = 0x1.62e42fefa39efp-1
/// The two parts of ln 2 as fdlibm has them (Sun Microsystems 1993).
private let highPartOfLog2 = 6.93147180369123816490e-01
private let lowPartOfLog2 = 1.90821492927058770002e-10
