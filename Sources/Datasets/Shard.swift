/// One of the shards of a data set: for clients that each have data of their own, or to set samples aside for
/// validation.
///
/// All shards together hold every sample once, and their sizes differ by at most one. Ranks of a run need no shards:
/// they share out a batch's microbatches.
public struct Shard: Hashable, Sendable {
  /// The choice of the samples that go together.
  public enum Cut: Hashable, Sendable {
    /// Adjoining samples: of n samples in k shards, shard i has `i·n/k ..< (i+1)·n/k`, rounded down.
    case contiguous
    /// Every k-th sample: shard i has those whose number modulo k is i.
    case modulo
  }

  /// The shard's number, from 0.
  public let index: Int
  /// The number of shards.
  public let count: Int
  /// The choice of the samples that go together.
  public let cut: Cut

  /// Shard `index`, from 0, of `count`.
  public init(_ index: Int, of count: Int, _ cut: Cut = .contiguous) {
    (self.index, self.count, self.cut) = (index, count, cut)
  }
}

extension Dataset {
  /// The samples of one shard, in this data set's order. Throws ``DatasetError`` if there is no such shard, or if there
  /// are more shards than samples.
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
