/// Box and Muller's transform (1958) of 128 random bits into two independent standard normal numbers:
///
///     r = √(−2 ln u)     (r·cos φ, r·sin φ)
///
/// u = (radius + ½)·2⁻⁶⁴, so r reaches from about 10⁻¹⁰ to 9.49: no normal number is larger than that, and the
/// 2·10⁻²¹ of the true distribution beyond are lacking. φ is one of 2⁵⁵ evenly spaced angles.
///
/// Only +, −, ·, / and √ are used, each rounded as IEEE 754 says, so the bits are the same with every C library and
/// processor. Each number is right to about 2⁻⁵⁰ of r.
///
/// - Parameters:
///   - radius: 64 random bits that give u.
///   - angle: 64 random bits that give φ: 52 for the angle within an eighth of the circle, 3 for the eighth.
package func normalPair(radius: UInt64, angle: UInt64) -> SIMD2<Double> {
  let length = (2 * negativeLog(radius)).squareRoot()
  // Half a unit off the axes, exact in 53 bits.
  let part = Double((angle >> 12) << 1 | 1) * 0x1p-53
  let theta = part * (Double.pi / 4)
  let square = theta * theta
  var pair = SIMD2(cosine(square), theta * sineQuotient(square)) * length
  // The eight symmetries of the circle, from bits that the angle above does not use.
  if angle & 1 != 0 { pair = SIMD2(pair.y, pair.x) }
  if angle & 2 != 0 { pair.x = -pair.x }
  if angle & 4 != 0 { pair.y = -pair.y }
  return pair
}

/// −ln((word + ½)·2⁻⁶⁴), to about 2⁻⁵¹ of itself, also where it is next to 0.
private func negativeLog(_ word: UInt64) -> Double {
  // √½·2⁶⁴: above it, from the distance v to 1, which has more digits, by −ln(1 − v) = 2·artanh(v/(2 − v)).
  if word >= 0xB504_F333_F9DE_6484 {
    let distance = (Double(~word) + 0.5) * 0x1p-64
    return 2 * artanh(distance / (2 - distance))
  }
  // 2ⁿ·m with m from √½ to √2: −ln u = −n·ln 2 − 2·artanh((m − 1)/(m + 1)).
  let u = (Double(word) + 0.5) * 0x1p-64
  var (n, m) = (Double(u.exponent), u.significand)
  if m > 2.0.squareRoot() {
    m /= 2
    n += 1
  }
  return -n * 0x1.62e42fefa39efp-1 - 2 * artanh((m - 1) / (m + 1))
}

/// artanh s for |s| ≤ 0.172, by its series to the 23rd power: what is left out is below 2⁻⁶⁴ of it.
private func artanh(_ s: Double) -> Double {
  let x = s * s
  let high = 1.0 / 17 + x * (1.0 / 19 + x * (1.0 / 21 + x * (1.0 / 23)))
  let middle = 1.0 / 9 + x * (1.0 / 11 + x * (1.0 / 13 + x * (1.0 / 15 + x * high)))
  return s * (1 + x * (1.0 / 3 + x * (1.0 / 5 + x * (1.0 / 7 + x * middle))))
}

/// cos θ from θ², for θ from 0 to π/4, by its series to the 16th power: what is left out is below 2⁻⁵⁸.
private func cosine(_ x: Double) -> Double {
  let high = 1.0 / 40320 - x * (1.0 / 3_628_800 - x * (1.0 / 479_001_600 - x * lastOfCosine(x)))
  return 1 - x * (1.0 / 2 - x * (1.0 / 24 - x * (1.0 / 720 - x * high)))
}

private func lastOfCosine(_ x: Double) -> Double { 1.0 / 87_178_291_200 - x * (1.0 / 20_922_789_888_000) }

/// sin θ / θ from θ², for θ from 0 to π/4, by its series to the 16th power: what is left out is below 2⁻⁶².
private func sineQuotient(_ x: Double) -> Double {
  let high = 1.0 / 362_880 - x * (1.0 / 39_916_800 - x * (1.0 / 6_227_020_800 - x * lastOfSine(x)))
  return 1 - x * (1.0 / 6 - x * (1.0 / 120 - x * (1.0 / 5040 - x * high)))
}

private func lastOfSine(_ x: Double) -> Double { 1.0 / 1_307_674_368_000 - x * (1.0 / 355_687_428_096_000) }
