/// The unit of work: the samples whose gradients are summed on one rank, by calls of one shape.
public struct Microbatch: Hashable, Sendable {
  /// Which of its batch's microbatches it is, from 0: the leaf of the reduction tree that its gradient takes.
  public let index: Int
  /// Where it lies in the epoch's order; never empty.
  public let positions: Range<Int>
}
