import Primitives
import Vectors

/// A sum of squares whose bits do not depend on the order of addition, nor on how the summands are cut into parts: so
/// every rank may add up a slice.
///
/// Each summand is rounded to a multiple of 2⁻⁵⁴ units, in two parts: a multiple of 2⁻¹² units, and the rest. Sums of
/// such parts are exact, in Double for some thousand summands, and then in integers. Source of the idea: Demmel and
/// Nguyen, "Fast Reproducible Floating-Point Summation", 2013.
public struct SquareSum: Sendable, Equatable {
  /// The sum in steps of 2⁻¹² units, and what is left in steps of 2⁻⁵⁴ units, from 0 to below 2⁴².
  private var (coarse, fine) = (0, 0)
  /// Whether every summand was finite and small enough: below 2²⁷ units always are.
  public private(set) var isExact = true

  /// A sum of nothing.
  public init() {}

  /// The sum in units; NaN if it is not exact.
  public var units: Double { isExact ? Double(coarse) * 0x1p-12 + Double(fine) * 0x1p-54 : .nan }

  /// Adds another sum of the same units.
  public mutating func add(_ other: SquareSum) { add(coarse: other.coarse, fine: other.fine, isExact: other.isExact) }

  fileprivate mutating func add(coarse moreCoarse: Int, fine moreFine: Int, isExact moreIsExact: Bool) {
    let rest = fine + moreFine
    coarse += moreCoarse + rest >> 42
    fine = rest & (1 << 42 - 1)
    isExact = isExact && moreIsExact && coarse < 1 << 61
    // So that nothing can overflow afterwards.
    if !isExact { (coarse, fine) = (0, 0) }
  }

  /// The number of ``words``.
  public static let wordCount = 3

  /// The sum as integers, to be sent.
  public var words: [UInt64] { [UInt64(coarse), UInt64(fine), isExact ? 1 : 0] }

  /// The sum that has these ``words``.
  public init(words: ArraySlice<UInt64>) {
    precondition(words.count == Self.wordCount, "\(words.count) words of a sum")
    let words = Array(words)
    (coarse, fine, isExact) = (Int(words[0]), Int(words[1]), words[2] == 1)
  }
}

/// Adds Σ (aᵢ + bᵢ)² to `sums` and Σ (aᵢ − bᵢ)² to `differences`, over the elements of `left` and `right`. Same count.
///
/// - Parameters:
///   - left: a.
///   - right: b.
///   - unit: the unit of both sums, a power of two.
///   - sums: the sum that Σ (aᵢ + bᵢ)² is added to.
///   - differences: the sum that Σ (aᵢ − bᵢ)² is added to.
public func addSquares(
  of left: Buffer<Float>, and right: Buffer<Float>, unit: Double, sums: inout SquareSum, differences: inout SquareSum
) {
  precondition(left.count == right.count, "squares of buffers of different counts")
  let a = unsafe UnsafePointer(left.base)
  let b = unsafe UnsafePointer(right.base)
  for start in stride(from: 0, to: left.count, by: SquareLanes.mostFloats) {
    let end = min(start + SquareLanes.mostFloats, left.count)
    let whole = start + (end - start) / 8 * 8
    var (sum, difference) = (SquareLanes(unit: unit), SquareLanes(unit: unit))
    for i in stride(from: start, to: whole, by: 8) {
      let l = unsafe UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
      let r = unsafe UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Float>.self)
      sum.add(l + r)
      difference.add(l - r)
    }
    if whole < end {
      var (l, r) = (SIMD8<Float>(repeating: 0), SIMD8<Float>(repeating: 0))
      for i in whole..<end { unsafe (l[i - whole], r[i - whole]) = (a[i], b[i]) }
      sum.add(l + r)
      difference.add(l - r)
    }
    sum.carry(into: &sums)
    difference.carry(into: &differences)
  }
}

/// A ``SquareSum`` of a few thousand summands a lane, still in Double.
private struct SquareLanes {
  /// The most floats that can be added: then the rests' sums stay below half a unit, and are exact.
  static let mostFloats = 8 << 12

  private var coarse = SIMD8<Double>(repeating: 0)
  private var fine = SIMD8<Double>(repeating: 0)
  private let unit: Double
  /// Added and taken away again, these leave a multiple of the last place that they have: 2⁻¹² and 2⁻⁵⁴ units.
  private let coarsely: SIMD8<Double>
  private let finely: SIMD8<Double>

  init(unit: Double) {
    self.unit = unit
    coarsely = SIMD8(repeating: 0x1.8p40 * unit)
    finely = SIMD8(repeating: 0x1.8p-2 * unit)
  }

  @inline(__always)
  mutating func add(_ values: SIMD8<Float>) {
    let values = doubles(values)
    let squares = values * values
    let steps = (squares + coarsely) - coarsely
    coarse += steps
    fine += ((squares - steps) + finely) - finely
  }

  func carry(into sum: inout SquareSum) {
    // Squares only grow a sum, so one that is small now was so all the time, and exact.
    guard (coarse .< SIMD8(repeating: 0x1p39 * unit)) == SIMDMask(repeating: true) else {
      return sum.add(coarse: 0, fine: 0, isExact: false)
    }
    for lane in 0..<8 {
      sum.add(coarse: Int(coarse[lane] * (0x1p12 / unit)), fine: Int(fine[lane] * (0x1p54 / unit)), isExact: true)
    }
  }
}
