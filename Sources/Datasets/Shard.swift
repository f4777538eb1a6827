/// How a data set is cut into shards: for clients that each have data of their own, or for validation aside.
///
/// All shards together hold every sample once, and their sizes differ by one at most. Ranks of one run need none: they share out a
/// batch's microbatches, whatever the data.
public struct Shard: Hashable, Sendable {
  /// Which samples go together.
  public enum Cut: Hashable, Sendable {
    /// Each shard's samples lie side by side: of n samples in k shards, shard i has `i·n/k ..< (i+1)·n/k`, rounded down.
    case contiguous
    /// Every k-th sample, from the i-th on: number modulo k is i.
    case modulo
  }

  /// The shard's number, from 0.
  public let index: Int
  /// The number of shards.
  public let count: Int
  /// Which samples go together.
  public let cut: Cut

  /// Shard `index` of `count`.
  public init(_ index: Int, of count: Int, _ cut: Cut = .contiguous) {
    (self.index, self.count, self.cut) = (index, count, cut)
  }
}

extension Dataset {
  /// The samples of one shard, in this data set's order. Throws ``DatasetError`` where there is no such shard, or it would be empty.
  public func shard(_ shard: Shard) throws(DatasetError) -> Subset {
    guard shard.index >= 0, shard.index < shard.count, shard.count <= count else {
      throw DatasetError(name, .shard(shard.index, of: shard.count))
    }
    switch shard.cut {
    case .contiguous:
      return try Subset(
        of: self, indices: shard.index * count / shard.count..<(shard.index + 1) * count / shard.count)
    case .modulo: return try Subset(of: self, indices: stride(from: shard.index, to: count, by: shard.count))
    }
  }
}
