import Datasets
import Tensors

/// The microbatches that a rank works out at once in a step: one, or several that lie under one node of the reduction's
/// tree.
public struct StepShare: Sendable {
  /// The step's batch.
  public let batch: Batch
  /// The epoch's order, which gives the samples at the batch's positions.
  public let order: EpochOrder
  /// The step, from 1.
  public let step: Int
  /// The microbatches of the share, by their index in the batch.
  public let microbatches: Range<Int>

  /// The share of these microbatches; `step` counts from 1.
  public init(_ microbatches: Range<Int>, of batch: Batch, _ order: EpochOrder, step: Int) {
    self.microbatches = microbatches
    self.batch = batch
    self.order = order
    self.step = step
  }

  /// The positions of its samples in the epoch's order.
  public var positions: Range<Int> {
    batch[microbatches.lowerBound].positions.lowerBound..<batch[microbatches.upperBound - 1].positions.upperBound
  }

  /// The numbers of its samples.
  public var samples: ArraySlice<UInt32> { order.samples[positions] }

  /// The source of its random numbers, keyed by a sample's place in the batch.
  public var noise: Noise {
    Noise(seed: order.seed, step: step, firstPosition: positions.lowerBound - batch.positions.lowerBound)
  }
}
