/// The cut of an epoch's order into global batches, one for each step, and of these into microbatches.
///
/// A cut depends on the position in the order, never on a rank: ranks share out a step's microbatches, so their number
/// decides who computes a microbatch and nothing else. The last batch of an epoch, and the last microbatch of a batch,
/// may be short: no sample is repeated or dropped.
public struct BatchPlan: Hashable, Sendable {
  /// The samples in an epoch.
  public let samples: Int
  /// The samples in a step. An epoch's last step may have fewer.
  public let globalBatch: Int
  /// The samples in a microbatch. A batch's last microbatch may have fewer.
  public let microbatch: Int

  /// The most samples of a microbatch where neither a recipe nor a model says how many: 32.
  public static let mostSamples = 32

  /// A plan for these numbers of samples in an epoch, in a step and in a microbatch. `microbatch` is by default
  /// ``defaultMicrobatch(globalBatch:atMost:)`` of at most `most`.
  ///
  /// Throws ``BatchPlanError`` unless `samples` is at least 1 and 1 ≤ `microbatch` ≤ `globalBatch`.
  public init(
    samples: Int, globalBatch: Int, microbatch: Int? = nil, atMost most: Int = mostSamples
  ) throws(BatchPlanError) {
    guard samples >= 1 else { throw .noSamples }
    guard globalBatch >= 1 else { throw .globalBatch(globalBatch) }
    let microbatch = microbatch ?? Self.defaultMicrobatch(globalBatch: globalBatch, atMost: most)
    guard 1...globalBatch ~= microbatch else { throw .microbatch(microbatch, globalBatch: globalBatch) }
    self.samples = samples
    self.globalBatch = globalBatch
    self.microbatch = microbatch
  }

  /// An eighth of the global batch, but at least 4. It is never more than `most`, nor than the global batch.
  ///
  /// Eight microbatches keep up to eight ranks busy. A matrix product is not efficient on fewer than about 4 rows, and
  /// gains little beyond 32.
  public static func defaultMicrobatch(globalBatch: Int, atMost most: Int = mostSamples) -> Int {
    min(globalBatch, most, max(4, globalBatch / 8))
  }

  /// The steps in an epoch.
  public var steps: Int { Self.ceiling(samples, globalBatch) }

  /// The samples of the largest microbatch.
  public var largestMicrobatch: Int { min(microbatch, samples) }

  /// The microbatches of a full batch.
  public var microbatchesInFullBatch: Int { Self.ceiling(globalBatch, microbatch) }

  /// The batch of `step`, which must be in `0..<steps`.
  public func batch(_ step: Int) -> Batch {
    precondition(step >= 0 && step < steps, "step \(step) of an epoch of \(steps)")
    // The last batch ends with the epoch. Written so that a batch larger than the epoch cannot overflow.
    let start = step * globalBatch
    return Batch(positions: start..<start + min(globalBatch, samples - start), microbatch: microbatch)
  }

  /// Throws ``BatchPlanError`` if there are more ranks than microbatches in a full batch: some would never work.
  public func check(ranks: Int) throws(BatchPlanError) {
    guard ranks <= microbatchesInFullBatch else { throw .tooManyRanks(ranks, plan: self) }
  }

  static func ceiling(_ dividend: Int, _ divisor: Int) -> Int {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder == 0 ? quotient : quotient + 1
  }
}
