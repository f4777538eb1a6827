/// A figure with the interval in which it lies with 95 % confidence.
public struct Estimate: Sendable, Codable, Hashable {
  /// The figure of the samples themselves.
  public var value: Double
  /// The 2.5th percentile of the bootstrap's replicates; nil without any.
  public var low: Double?
  /// The 97.5th percentile.
  public var high: Double?

  /// The estimate `value`, with the percentiles of its `replicates`, of which those that are not finite do not count; nil if `value` is
  /// not finite.
  package init?(_ value: Double, replicates: [Double]) {
    guard value.isFinite else { return nil }
    let interval = Self.interval(of: replicates.filter(\.isFinite))
    (self.value, low, high) = (value, interval?.lowerBound, interval?.upperBound)
  }

  /// From the 2.5th to the 97.5th percentile of `values`, each the nearest of them; nil of none.
  package static func interval(of values: [Double]) -> ClosedRange<Double>? {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return nil }
    func percentile(_ part: Double) -> Double { sorted[Int((part * Double(sorted.count - 1)).rounded())] }
    return percentile(0.025)...percentile(0.975)
  }
}
