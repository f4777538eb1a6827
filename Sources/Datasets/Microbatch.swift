/// The unit of work: the samples whose gradients one rank sums, by kernel calls of the same shapes on any number of
/// ranks.
public struct Microbatch: Hashable, Sendable {
  /// Its number in the batch, from 0, and that of its gradient's leaf in the reduction tree.
  public let index: Int
  /// Its place in the epoch's order, never empty.
  public let positions: Range<Int>
}
