/// The split of all ranks' time into work, communication and waiting, in seconds a rank.
///
/// Clocks of different hosts cannot be compared to the microsecond, so waiting is inferred. The rank that comes last to
/// a reduction waits for nobody, and the others wait for as long as they spend there beyond its time. Summed over many
/// steps, the least reduction time of any rank is the cost of communication itself.
public struct TimeSplit: Sendable, Equatable {
  /// One rank's part of it, in seconds.
  public struct Rank: Sendable, Equatable {
    /// Its own work.
    public let compute: Double
    /// Waiting for other ranks.
    public let waiting: Double
  }

  /// The mean over ranks of their own work.
  public let compute: Double
  /// The cost of the reduction without waiting.
  public let communication: Double
  /// The mean over ranks of waiting for others.
  public let waiting: Double
  /// The rank with the most work of its own.
  public let slowestRank: Int
  /// Every rank's own work and waiting.
  public let ranks: [Rank]

  package init(_ ranks: [(compute: Double, reduction: Double)]) {
    let communication = ranks.map(\.reduction).min() ?? 0
    compute = ranks.map(\.compute).reduce(0, +) / Double(ranks.count)
    waiting = ranks.map { $0.reduction - communication }.reduce(0, +) / Double(ranks.count)
    slowestRank = ranks.indices.max { ranks[$0].compute < ranks[$1].compute } ?? 0
    self.communication = communication
    self.ranks = ranks.map { Rank(compute: $0.compute, waiting: $0.reduction - communication) }
  }

  /// The part of the time that was communication, 0 to 1.
  public var communicationFraction: Double {
    let whole = compute + communication + waiting
    return whole > 0 ? communication / whole : 0
  }
}
