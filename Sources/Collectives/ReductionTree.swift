/// The one order in which microbatches' gradients are added, whatever the number of ranks: a binary tree over their index.
///
/// The node of level k and index i covers the microbatches `i·2ᵏ ..< (i+1)·2ᵏ` that exist. Its value is that of its
/// left child plus that of its right one; if the right one covers nothing, it is the left one's, unchanged. Leaves are
/// microbatches. So a node is a function of what it covers, and any rank that holds all of it can work it out alone.
public struct ReductionTree: Sendable, Equatable {
  /// A node of the tree.
  public struct Node: Sendable, Hashable {
    /// The level; 0 is that of microbatches.
    public var level: Int
    /// The index within the level, from 0.
    public var index: Int

    /// The node at this level and index.
    public init(level: Int, index: Int) {
      self.level = level
      self.index = index
    }

    /// The two nodes that this one is the sum of.
    public var children: (left: Node, right: Node) {
      (Node(level: level - 1, index: 2 * index), Node(level: level - 1, index: 2 * index + 1))
    }
  }

  /// The number of microbatches.
  public let leaves: Int

  /// The tree over `leaves` microbatches, 1 or more.
  public init(leaves: Int) {
    precondition(leaves >= 1, "a tree of \(leaves) leaves")
    self.leaves = leaves
  }

  /// The node that covers everything.
  public var root: Node {
    var level = 0
    while 1 << level < leaves { level += 1 }
    return Node(level: level, index: 0)
  }

  /// The microbatches under `node`.
  public func covered(by node: Node) -> Range<Int> {
    min(node.index << node.level, leaves)..<min((node.index + 1) << node.level, leaves)
  }

  /// The fewest nodes that cover exactly `ranges`, which do not overlap, from left to right. Ranks that hold these can
  /// add them up without the others.
  public func nodes(covering ranges: [Range<Int>]) -> [Node] {
    var nodes: [Node] = []
    func visit(_ node: Node) {
      let covered = covered(by: node)
      let held = ranges.reduce(0) { $0 + $1.clamped(to: covered).count }
      if held == 0 { return }
      if held == covered.count {
        nodes.append(node)
      } else {
        visit(node.children.left)
        visit(node.children.right)
      }
    }
    visit(root)
    return nodes
  }

  /// The fewest nodes that cover exactly `range`, from left to right.
  public func nodes(covering range: Range<Int>) -> [Node] { nodes(covering: [range]) }
}
