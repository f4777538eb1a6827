import NeuralNetworks
import Tensors

/// A measure of a network's outputs that is counted sample by sample, in integers, and turned into a score at the end.
///
/// Integers have one sum in any order, so a score is the same at any number of ranks, to the bit. A real number is counted in
/// steps of 2⁻³² (``fixedPoint(_:)``).
public protocol Metric: Sendable {
  /// The number of counters, which start at 0.
  var counterCount: Int { get }

  /// Counts the samples of `predictions`.
  ///
  /// - Parameter counters: this metric's own, ``counterCount`` of them.
  func count(_ predictions: Predictions, into counters: inout [Int])

  /// The scores, by name, from counters over all samples and ranks; NaN if nothing was measured.
  func scores(_ counters: [Int]) -> [Score]
}

extension Metric {
  /// `value` in steps of 2⁻³², rounded to the nearest and limited to ±2³⁰. NaN counts as 2³⁰. A sum must stay within
  /// ±2³¹.
  public func fixedPoint(_ value: Double) -> Int {
    guard !value.isNaN else { return 1 << 62 }
    return Int((min(max(value, -1_073_741_824), 1_073_741_824) * 4_294_967_296).rounded())
  }

  /// The number that a sum of ``fixedPoint(_:)`` stands for.
  public func real(_ fixedPoint: Int) -> Double { Double(fixedPoint) / 4_294_967_296 }
}
