/// The place of a run between two steps: all that decides which samples come next.
public struct RunState: Hashable, Sendable, Codable {
  /// The epoch in progress, from 0.
  public var epoch: Int
  /// The next sample's position in the epoch's order.
  public var sampleOffset: Int
  /// The number of steps since the run began.
  public var step: Int
  /// The seed of the order, the initial weights and all noise.
  public var seed: UInt64
  /// The sums over the epoch in progress up to ``sampleOffset``; zero between epochs and from a checkpoint without
  /// sums.
  public var sums = EpochSums()
  /// The best epoch so far; nil if the run does not look for it.
  public var best: BestEpoch?

  /// A state with sums of zero; by default that before the first step.
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
    case best
  }
}
