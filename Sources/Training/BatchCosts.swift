import Datasets

/// The measured times of a job's ranks, and the batch that follows from them.
///
/// A step of a batch takes as many microbatches as the rank with the most has, and what a step costs besides: the
/// reduction, the optimizer and the ranks' meeting. So a larger batch is faster, by less and less.
public struct BatchCosts: Sendable {
  /// The number of ranks.
  public var ranks: Int
  /// The seconds of a microbatch on the slowest rank, by its samples.
  public var microbatchSeconds: [Int: Double]
  /// The seconds of a step beside its microbatches.
  public var stepSeconds: Double
  /// The batches to choose from, in rising order.
  public var batches: [Int]
  /// Whether each batch is cut into its usual microbatches (``BatchPlan/defaultMicrobatch(globalBatch:atMost:)``), whatever is fastest.
  public var takesUsualMicrobatches = false
  /// The most samples of a usual microbatch (``Model/usualMicrobatch``).
  public var mostSamples = BatchPlan.mostSamples

  /// These costs.
  public init(ranks: Int, microbatchSeconds: [Int: Double], stepSeconds: Double, batches: [Int]) {
    self.ranks = ranks
    self.microbatchSeconds = microbatchSeconds
    self.stepSeconds = stepSeconds
    self.batches = batches
  }

  /// A batch, how it is cut, and how fast it trains.
  public struct Choice: Sendable, Equatable {
    /// The samples of a step, over all ranks.
    public var globalBatch: Int
    /// The samples of a microbatch.
    public var microbatch: Int
    /// The speed that the costs predict.
    public var samplesPerSecond: Double
  }

  /// The part of the best speed that is enough: a larger batch takes fewer steps in an epoch, and trains worse.
  private static let enough = 0.95
  /// The part of a batch's best speed at which a smaller microbatch is taken: more ranks can share it out.
  private static let same = 0.98

  /// The smallest batch that is nearly as fast as the fastest, and the smallest microbatch nearly as fast as its fastest; nil
  /// if no batch can be cut into a microbatch for each rank.
  public var choice: Choice? {
    let fastest = batches.compactMap { batch in cuts(of: batch).max { $0.samplesPerSecond < $1.samplesPerSecond } }
    let most = fastest.map(\.samplesPerSecond).max() ?? 0
    guard let best = fastest.first(where: { $0.samplesPerSecond >= Self.enough * most }) else { return nil }
    return cuts(of: best.globalBatch).first { $0.samplesPerSecond >= Self.same * best.samplesPerSecond }
  }

  /// The ways to cut a batch that give every rank a microbatch, by rising microbatch.
  private func cuts(of batch: Int) -> [Choice] {
    microbatchSeconds.sorted { $0.key < $1.key }.compactMap { microbatch, seconds in
      let count = (batch + microbatch - 1) / microbatch
      guard microbatch <= batch, count >= ranks else { return nil }
      let usual = BatchPlan.defaultMicrobatch(globalBatch: batch, atMost: mostSamples)
      guard !takesUsualMicrobatches || microbatch == usual else { return nil }
      let step = Double((count + ranks - 1) / ranks) * seconds + stepSeconds
      return Choice(globalBatch: batch, microbatch: microbatch, samplesPerSecond: Double(batch) / step)
    }
  }
}
