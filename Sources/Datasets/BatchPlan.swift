/// How an epoch is cut: positions of its order into global batches, one a step, and those into microbatches.
///
/// A cut depends on the position alone, never on a rank: ranks share out a step's microbatches, and so the number of
/// ranks changes who computes a microbatch and nothing about it. The last batch of an epoch, and the last microbatch
/// of a batch, are as short as they come out: no sample is repeated or dropped.
public struct BatchPlan: Hashable, Sendable {
  /// Samples in an epoch.
  public let samples: Int
  /// Samples in a step, except in an epoch's last, which may be short.
  public let globalBatch: Int
  /// Samples in a microbatch, except in a batch's last, which may be short.
  public let microbatch: Int

  /// A plan for `samples` a epoch, `globalBatch` a step and `microbatch` a microbatch, by default
  /// ``defaultMicrobatch(globalBatch:)``.
  ///
  /// Throws ``BatchPlanError`` unless `samples` is at least 1 and 1 ≤ `microbatch` ≤ `globalBatch`.
  public init(samples: Int, globalBatch: Int, microbatch: Int? = nil) throws(BatchPlanError) {
    guard samples >= 1 else { throw .noSamples }
    guard globalBatch >= 1 else { throw .globalBatch(globalBatch) }
    let microbatch = microbatch ?? Self.defaultMicrobatch(globalBatch: globalBatch)
    guard 1...globalBatch ~= microbatch else { throw .microbatch(microbatch, globalBatch: globalBatch) }
    self.samples = samples
    self.globalBatch = globalBatch
    self.microbatch = microbatch
  }

  /// An eighth of the global batch, held between 4 and 32, and never above the global batch.
  ///
  /// Eight microbatches keep up to eight ranks busy; 4 rows are about the fewest that a matrix product is efficient
  /// at, and beyond 32 rows it gains little.
  public static func defaultMicrobatch(globalBatch: Int) -> Int { min(globalBatch, max(4, min(32, globalBatch / 8))) }

  /// Steps in an epoch.
  public var steps: Int { Self.ceiling(samples, globalBatch) }

  /// The most samples that any microbatch has.
  public var largestMicrobatch: Int { min(microbatch, samples) }

  /// Microbatches of a batch that is not short.
  public var microbatchesInFullBatch: Int { Self.ceiling(globalBatch, microbatch) }

  /// The batch of `step`, which must be in `0..<steps`.
  public func batch(_ step: Int) -> Batch {
    precondition(step >= 0 && step < steps, "step \(step) of an epoch of \(steps)")
    // The last batch ends with the epoch. Written so that a batch larger than any epoch cannot overflow.
    let start = step * globalBatch
    return Batch(positions: start..<start + min(globalBatch, samples - start), microbatch: microbatch)
  }

  /// Throws ``BatchPlanError`` if there are more ranks than microbatches in a full batch: some could never work.
  public func check(ranks: Int) throws(BatchPlanError) {
    guard ranks <= microbatchesInFullBatch else { throw .tooManyRanks(ranks, plan: self) }
  }

  static func ceiling(_ dividend: Int, _ divisor: Int) -> Int {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder == 0 ? quotient : quotient + 1
  }
}

/// The samples of one step: a collection of its microbatches, computed as they are asked for and never stored.
public struct Batch: Hashable, Sendable, RandomAccessCollection {
  /// Where the batch lies in the epoch's order. Its length is the count by which the step's sums are divided.
  public let positions: Range<Int>
  /// Samples in a microbatch, except in the last, which may be short.
  public let microbatch: Int

  /// 0: microbatches are counted within their batch.
  public var startIndex: Int { 0 }
  /// The number of microbatches.
  public var endIndex: Int { BatchPlan.ceiling(positions.count, microbatch) }

  /// The microbatch at `index`, which must be in `0..<count`.
  public subscript(index: Int) -> Microbatch {
    precondition(index >= 0 && index < endIndex, "microbatch \(index) of \(endIndex)")
    let start = positions.lowerBound + index * microbatch
    return Microbatch(index: index, positions: start..<start + Swift.min(microbatch, positions.upperBound - start))
  }
}

/// The unit of work: the samples whose gradients are summed on one rank, by calls of one shape.
public struct Microbatch: Hashable, Sendable {
  /// Which of its batch's microbatches it is, from 0: the leaf of the reduction tree that its gradient takes.
  public let index: Int
  /// Where it lies in the epoch's order; never empty.
  public let positions: Range<Int>
}
