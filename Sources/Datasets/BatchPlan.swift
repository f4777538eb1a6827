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
