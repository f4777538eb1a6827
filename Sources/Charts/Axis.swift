import Console
import Glibc

/// A range of numbers along one side of a chart, with marks at round numbers.
struct Axis {
  /// The numbers at the two ends.
  let range: ClosedRange<Double>
  /// The places of the marks, from the smallest on.
  let ticks: [Double]
  private let decimals: Int
  /// Whether the numbers are logarithms to the base ten.
  private var isLogarithmic = false

  /// An axis of the powers of ten from 10^−count to 1, by their logarithms.
  init(decades count: Int) {
    range = -Double(count)...0
    ticks = (-count...0).map { Double($0) }
    decimals = 0
    isLogarithmic = true
  }

  /// An axis that holds `values`, with about `count` marks. Numbers that are not finite do not count. `isWhole` if only integers have marks.
  init(_ values: [Double], ticks count: Int, isWhole: Bool = false, includesZero: Bool = false) {
    let finite = values.filter(Self.canShow) + (includesZero ? [0] : [])
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    if high - low <= max(abs(high) * 1e-9, 1e-290) {
      let half = abs(high) < 1e-290 ? 1 : abs(high) * 0.1
      (low, high) = (low - (includesZero && low == 0 ? 0 : half), high + half)
    }
    // The smallest of 1, 2 and 5 times a power of ten that gives no more marks.
    let least = (high - low) / Double(max(count, 1))
    let power = pow(10, floor(log10(least)))
    var step = ([1, 2, 5].first { $0 * power >= least * 0.999_999 } ?? 10) * power
    if isWhole { step = max(1, step.rounded(.up)) }
    range = isWhole ? low...high : floor(low / step) * step...ceil(high / step) * step
    ticks = stride(from: ceil(range.lowerBound / step - 1e-9), through: floor(range.upperBound / step + 1e-9), by: 1)
      .map { $0 * step }
    decimals = min(max(0, Int(ceil(-log10(step) - 1e-9))), 12)
  }

  /// Whether a chart has room for `value`: a sum of two is still a number.
  static func canShow(_ value: Double) -> Bool { abs(value) < 1e300 }

  /// The place of `value` between 0, the beginning of the axis, and 1.
  func place(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

  /// The text at a mark.
  func text(_ tick: Double) -> String {
    if isLogarithmic { return fixed(pow(10, tick), max(0, Int(-tick))) }
    if abs(tick) >= 100_000 { return "\(fixed(tick / 1000, 0))k" }
    // A column of digits is not read.
    return decimals > 4 ? scientific(tick) : fixed(tick, decimals)
  }

  private func scientific(_ value: Double) -> String {
    guard value != 0 else { return "0" }
    let exponent = Int(floor(log10(abs(value))))
    // As many digits as tell it from the next mark.
    return "\(fixed(value / pow(10, Double(exponent)), max(0, decimals + exponent)))e\(exponent)"
  }
}
