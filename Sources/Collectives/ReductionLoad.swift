/// The load of the busiest rank in one fixed-tree reduction by messages (``GradientReduction``), both exchanges
/// together.
///
/// With p = 2ᵏ ranks it is 2(p − 1) messages and 2n(p − 1)/p floats, as in a ring. With another p a rank holds several
/// nodes of the tree and sends a slice of each.
public struct ReductionLoad: Sendable, Equatable {
  /// The messages that leave the busiest rank, one after another.
  public var messages: Int
  /// The floats in them.
  public var floats: Int
  /// The floats of a rank's buffers: its nodes with the slots to work them out, what arrives, and the total.
  public var buffers: Int

  /// The load of a sum of `count` floats over `microbatches` microbatches on `ranks` ranks.
  public init(count: Int, microbatches: Int, ranks: Int) {
    let tree = ReductionTree(leaves: microbatches)
    let nodes = (0..<ranks).map { rank in
      tree.nodes(covering: Collectives.microbatches(of: microbatches, heldBy: rank, of: ranks))
    }
    let held = nodes.map(\.count).max() ?? 0
    // A node of 2ᵏ microbatches is worked out in k slots, the first of which is its own.
    let slots = nodes.map { $0.enumerated().map { $0 + max(1, $1.level) }.max() ?? 0 }.max() ?? 0
    let arriving = nodes.map(\.count).reduce(0, +) - (nodes.map(\.count).min() ?? 0)
    buffers = slots * count + (ranks > 1 ? arriving * count / ranks + count : 0)
    messages = (held + 1) * (ranks - 1)
    floats = (held + 1) * (ranks - 1) * count / ranks
  }

  /// The seconds that it takes at `cost`.
  public func seconds(_ cost: MessageCost) -> Double {
    Double(messages) * cost.latency + Double(floats) * cost.secondsPerFloat
  }
}
