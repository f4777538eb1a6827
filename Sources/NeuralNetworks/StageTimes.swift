import Glibc

/// Measures the time of each stage of a network, for as long as it is attached (``Network/stageObserver``).
///
/// The times are processor time in seconds, to the microsecond: other processes do not count.
public final class StageTimes: StageObserver {
  /// The time in each stage's `forward`, in the stages' order.
  public private(set) var forward: [Double]
  /// The time in each stage's `backward`, in the stages' order.
  public private(set) var backward: [Double]
  private var mark = clock()

  /// Times of zero for `count` stages.
  public init(count: Int) {
    forward = Array(repeating: 0, count: count)
    backward = forward
  }

  public func begin() { mark = clock() }

  public func endForward(stage index: Int) { forward[index] += lap() }

  public func endBackward(stage index: Int) { backward[index] += lap() }

  private func lap() -> Double {
    let now = clock()
    defer { mark = now }
    return Double(now - mark) / Double(CLOCKS_PER_SEC)
  }
}
