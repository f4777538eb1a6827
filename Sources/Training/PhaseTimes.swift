/// Where one rank's time went: its own work, and the reduction with what it waited there for others.
public struct PhaseTimes: Sendable {
  /// Gradients and the optimizer.
  public private(set) var compute = Duration.zero
  /// From having one's own gradients to having everybody's sum.
  public private(set) var reduction = Duration.zero

  /// No time at all.
  public init() {}

  mutating func add(compute: Duration, reduction: Duration) {
    self.compute += compute
    self.reduction += reduction
  }
}
