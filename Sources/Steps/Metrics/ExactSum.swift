/// A sum of doubles in counters, exact and so the same in any order.
///
/// The counters are digits of 32 bits of one long binary number, the lowest of 2⁻³²⁰; one more counts what is not
/// finite or does not fit. Each takes 2³¹ summands before it could overflow. Source of the idea: Kulisch, "Computer
/// Arithmetic and Validity", 2008, the long accumulator.
struct ExactSum {
  /// The number of counters.
  static let counterCount = digits + 1

  private static let digits = 21
  private static let lowest = -320

  /// Adds `value`, which must be below 2³²⁰ and counts to 2⁻³²⁰, to the counters from `start` on.
  static func add(_ value: Double, to counters: inout [Int], at start: Int) {
    guard value != 0 else { return }
    guard value.isFinite, value.exponent < 320 else {
      counters[start + digits] += 1
      return
    }
    // value = ± significand · 2^(exponent − 52).
    let place = Int(value.exponent) - 52 - lowest
    // Bits below the lowest digit are dropped from each summand alike, whatever the order.
    let significand = place >= 0 ? wide(value) : place > -64 ? wide(value) >> UInt64(-place) : 0
    let (digit, shift) = max(place, 0).quotientAndRemainder(dividingBy: 32)
    let (high, low) = significand.multipliedFullWidth(by: 1 << UInt64(shift))
    let parts = [Int(low & 0xFFFF_FFFF), Int(low >> 32), Int(high)]
    for (index, part) in parts.enumerated() where part != 0 {
      counters[start + digit + index] += value < 0 ? -part : part
    }
  }

  private static func wide(_ value: Double) -> UInt64 {
    // A subnormal has no hidden bit, and is far below what is counted.
    value.isNormal ? 1 << 52 | value.significandBitPattern : 0
  }

  /// The sum in the counters from `start` on, rounded; NaN if a summand was not finite.
  static func value(_ counters: [Int], at start: Int) -> Double {
    guard counters[start + digits] == 0 else { return .nan }
    // Carried first, so that what cancels out does so exactly.
    var (carry, parts) = (0, [Double]())
    for digit in 0..<digits {
      let (sum, own) = (counters[start + digit] + carry, (counters[start + digit] + carry) & 0xFFFF_FFFF)
      carry = sum >> 32
      parts.append(Double(own))
    }
    var total = Double(carry)
    for part in parts.reversed() { total = total * 0x1p32 + part }
    return total * Double(sign: .plus, exponent: lowest, significand: 1)
  }
}
