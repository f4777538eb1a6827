import Glibc

/// Where a network's time goes, stage by stage, for as long as it is attached (``Network/stageTimes``): for measurements.
///
/// Processor time, in seconds, to the microsecond: what other processes take does not count.
public final class StageTimes {
  /// What has been spent in each stage's `forward` and `backward`, in the stages' order.
  public private(set) var forward: [Double]
  public private(set) var backward: [Double]
  private var mark = clock()

  /// No time at all, in each of `count` stages.
  public init(count: Int) {
    forward = Array(repeating: 0, count: count)
    backward = forward
  }

  func begin() { mark = clock() }

  func endForward(stage index: Int) { forward[index] += lap() }

  func endBackward(stage index: Int) { backward[index] += lap() }

  private func lap() -> Double {
    let now = clock()
    defer { mark = now }
    return Double(now - mark) / Double(CLOCKS_PER_SEC)
  }
}
