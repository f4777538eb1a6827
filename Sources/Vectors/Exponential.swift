// The exponential function, the logistic function and tanh of whole vectors, for activations and gates. The C library's take one float
// at a time, and a recurrent layer would spend more time in them than in its products. A lane's bits depend on its value alone, not on its
// place or the width, nor on the C library.

/// The integers as wide as ``Lanes``.
#if LOCKSTEP_LANES_16
  @usableFromInline typealias LaneBits = SIMD16<UInt32>
#else
  @usableFromInline typealias LaneBits = SIMD8<UInt32>
#endif

/// 1.5 · 2²³: adding it rounds a small number to a whole one, which then lies in the lowest bits of the sum.
@inlinable
var rounder: Float { 12_582_912 }

/// 1 / ln 2.
@inlinable
var perLn2: Float { 1.442695 }

/// ln 2 in two parts, as Cephes has it: a whole number times the first is exact.
@inlinable
var ln2: Float { 0.693359375 }

/// The second part.
@inlinable
var ln2Rest: Float { -2.12194440e-4 }

/// Below it eˣ is no normal number.
@inlinable
var leastExponent: Float { -87.3 }

extension Lanes {
  /// `eˣ = power · (1 + rest)`, power = 2ⁿ and |rest| ≤ 0.42, for x in -87.3…0. The polynomial of Cephes' `expf` (Moshier 1989); |rest| is
  /// right to 2⁻²² of itself, so that eˣ − 1 has no cancellation near 0.
  @inlinable
  @inline(always)
  func exponentialParts() -> (power: Lanes, rest: Lanes) {
    let shifted = Lanes(repeating: rounder).addingProduct(self, Lanes(repeating: perLn2))
    let n = shifted - Lanes(repeating: rounder)
    let r = self.addingProduct(n, Lanes(repeating: -ln2)).addingProduct(n, Lanes(repeating: -ln2Rest))
    var q = Lanes(repeating: 1.3981999507e-3).addingProduct(Lanes(repeating: 1.9875691500e-4), r)
    q = Lanes(repeating: 8.3334519073e-3).addingProduct(q, r)
    q = Lanes(repeating: 4.1665795894e-2).addingProduct(q, r)
    q = Lanes(repeating: 1.6666665459e-1).addingProduct(q, r)
    q = Lanes(repeating: 5.0000001201e-1).addingProduct(q, r)
    // n, shifted to where a float has its exponent: the bits of 2ⁿ once 1's are added.
    let bits = unsafe unsafeBitCast(shifted, to: LaneBits.self) &<< LaneBits(repeating: 23)
    let power = unsafe unsafeBitCast(bits &+ LaneBits(repeating: Float(1).bitPattern), to: Lanes.self)
    return (power, r.addingProduct(q, r * r))
  }

  /// −|x|; a NaN stays one.
  @inlinable
  @inline(always)
  var negated: Lanes {
    let zero = Lanes(repeating: 0)
    return replacing(with: zero - self, where: self .> zero)
  }

  /// eˣ of each lane that is 0 or less, to 2⁻²² of itself, and 0 below -87.3; a NaN stays one.
  @inlinable
  @inline(always)
  package func exponentialUpToZero() -> Lanes {
    let (power, rest) = exponentialParts()
    let e = power.addingProduct(power, rest)
    return e.replacing(with: Lanes(repeating: 0), where: self .< Lanes(repeating: leastExponent))
  }

  /// The logistic function 1 / (1 + e⁻ˣ) of each lane, to 2⁻²² of itself, and 0 below -87.3; a NaN stays one.
  @inlinable
  @inline(always)
  package func sigmoid() -> Lanes {
    let (zero, one) = (Lanes(repeating: 0), Lanes(repeating: 1))
    let e = negated.exponentialUpToZero()
    return one.replacing(with: e, where: self .< zero) / (one + e)
  }

  /// tanh of each lane, to 2⁻²² of itself: m / (2 + m), m = e^(−2|x|) − 1, with the sign of x; a NaN stays one.
  @inlinable
  @inline(always)
  package func tanh() -> Lanes {
    let (zero, one, two) = (Lanes(repeating: 0), Lanes(repeating: 1), Lanes(repeating: 2))
    let farthest = Lanes(repeating: -40)
    var x = negated * two
    // From here on tanh is 1.
    x.replace(with: farthest, where: x .< farthest)
    let (power, rest) = x.exponentialParts()
    let m = (power - one).addingProduct(power, rest)
    let size = m / (two + m)
    return size.replacing(with: zero - size, where: self .> zero)
  }
}
