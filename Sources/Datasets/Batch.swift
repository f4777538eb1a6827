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
