import Datasets
import Tensors

/// What a rank works out at once in a step: one microbatch, or several that lie under one node of the reduction's tree.
public struct StepShare: Sendable {
  /// The step's batch.
  public let batch: Batch
  /// The epoch's order, which says what samples the batch's positions are.
  public let order: EpochOrder
  /// The step, from 1.
  public let step: Int
  /// The batch's microbatches that are asked for.
  public let microbatches: Range<Int>

  /// See the properties.
  public init(_ microbatches: Range<Int>, of batch: Batch, _ order: EpochOrder, step: Int) {
    self.microbatches = microbatches
    self.batch = batch
    self.order = order
    self.step = step
  }

  /// Where its samples lie in the epoch's order.
  public var positions: Range<Int> {
    batch[microbatches.lowerBound].positions.lowerBound..<batch[microbatches.upperBound - 1].positions.upperBound
  }

  /// The numbers of its samples.
  public var samples: ArraySlice<UInt32> { order.samples[positions] }

  /// What chance it has: keyed by a sample's place in the batch.
  public var noise: Noise {
    Noise(seed: order.seed, step: step, firstPosition: positions.lowerBound - batch.positions.lowerBound)
  }
}
