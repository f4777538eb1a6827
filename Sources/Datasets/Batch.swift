/// The samples of one step, as a collection of microbatches, which are computed when asked for and never stored.
public struct Batch: Hashable, Sendable, RandomAccessCollection {
  /// The batch's place in the epoch's order. The step's sums are divided by its length.
  public let positions: Range<Int>
  /// The samples in a microbatch. The last microbatch may have fewer.
  public let microbatch: Int

  /// 0: microbatches are numbered within their batch.
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
