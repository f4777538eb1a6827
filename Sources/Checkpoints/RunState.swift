/// Where a run stands between two steps: all that decides which samples come next.
public struct RunState: Hashable, Sendable, Codable {
  /// The epoch in progress, from 0.
  public var epoch: Int
  /// The position in the epoch's order of the next sample.
  public var sampleOffset: Int
  /// The number of steps taken since the run began.
  public var step: Int
  /// The seed of the order, the initial weights and all noise.
  public var seed: UInt64
  /// The sums over the epoch in progress up to ``sampleOffset``; of nothing between epochs, and in a checkpoint that has none.
  public var sums = EpochSums()

  /// The state before the first step of an epoch, or within it.
  public init(epoch: Int = 0, sampleOffset: Int = 0, step: Int = 0, seed: UInt64) {
    self.epoch = epoch
    self.sampleOffset = sampleOffset
    self.step = step
    self.seed = seed
  }

  private enum CodingKeys: String, CodingKey {
    case epoch
    case sampleOffset = "sample_offset"
    case step
    case seed
    case sums
  }
}
