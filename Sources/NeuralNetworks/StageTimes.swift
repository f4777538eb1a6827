import Tensors

/// Where a network's time goes, stage by stage, for as long as it is attached (``Network/stageTimes``): for measurements.
public final class StageTimes {
  /// What has been spent in each stage's `forward` and `backward`, in the stages' order.
  public private(set) var forward: [Duration]
  public private(set) var backward: [Duration]
  private var mark = ContinuousClock.now

  /// No time at all, in each of `count` stages.
  public init(count: Int) {
    forward = Array(repeating: .zero, count: count)
    backward = forward
  }

  func begin() { mark = .now }

  func endForward(stage index: Int) { forward[index] += lap() }

  func endBackward(stage index: Int) { backward[index] += lap() }

  private func lap() -> Duration {
    let now = ContinuousClock.now
    defer { mark = now }
    return now - mark
  }
}

/// One stage of a planned network: a layer, or several that one kernel does.
public struct StageDescription: Sendable {
  /// The layer, as `convolution1` or, of those that learn nothing, `relu`.
  public let name: String
  /// The shape of one sample's output.
  public let output: Shape
  /// The floating-point operations of training on one sample.
  public let trainingOperations: Int
}
