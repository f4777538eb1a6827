/// The times of one rank: its own work, and the reduction with the wait for others.
public struct PhaseTimes: Sendable {
  /// The time for gradients and the optimizer.
  public private(set) var compute = Duration.zero
  /// The time from the rank's own gradients to the sum of all ranks'.
  public private(set) var reduction = Duration.zero

  /// Times of zero.
  public init() {}

  mutating func add(compute: Duration, reduction: Duration) {
    self.compute += compute
    self.reduction += reduction
  }
}
