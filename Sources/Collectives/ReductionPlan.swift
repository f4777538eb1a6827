import Kernels

/// One rank's part in the sum over a given number of microbatches; made once.
public final class ReductionPlan: Sendable {
  /// One pass over some of a rank's microbatches, and the additions behind it.
  public struct Contribution: Sendable, Equatable {
    /// The microbatches' indices within the batch: all that lie under one node of the tree.
    public var microbatches: Range<Int>
    /// The slot for the sum of their gradients.
    public var slot: Int
    /// Whether the sum replaces the slot's content or is added to it.
    public var accumulation: Accumulation
    /// The additions of slots that are then complete, in order.
    public var folds: [Fold]
  }

  /// An addition of one slot into another.
  public struct Fold: Sendable, Equatable {
    /// The slot that is read.
    public var source: Int
    /// The slot that it is added to.
    public var destination: Int
  }

  /// The rank's microbatches, in order.
  public let contributions: [Contribution]
  /// The floats that this rank finishes.
  public let slice: Range<Int>
  let heldNodes: Int
  let slots: Int
  /// The additions that make nodes of this host for owners on other hosts.
  let hostAdditions: [Addition]
  let staged: Int
  let scatter: ExchangePlan
  let received: Int
  /// The additions that finish the tree on this rank's slice.
  let additions: [Addition]
  let spread: ExchangePlan

  /// With `keepsHalves`, the last addition is that of the two halves of the batch, even if one rank holds all of it.
  init(
    leaves: Int, count: Int, rank: Int, hosts: HostMap, pass: Int, finishesSlices: Bool, keepsHalves: Bool = false
  ) {
    let size = hosts.rankCount
    let tree = ReductionTree(leaves: leaves)
    let held = (0..<size).map { microbatches(of: leaves, heldBy: $0, of: size) }
    /// The nodes that a rank shows the others.
    func shownNodes(of rank: Int) -> [ReductionTree.Node] {
      let nodes = tree.nodes(covering: held[rank])
      guard keepsHalves && nodes == [tree.root] && leaves > 1 else { return nodes }
      let halves = tree.root.children
      return [halves.left, halves.right]
    }
    let host = hosts.host(of: rank)
    let neighbours = hosts.neighbours(of: rank)
    let nodes = shownNodes(of: rank)
    let hostNodes = hosts.ranks.map { tree.nodes(covering: $0.map { held[$0] }) }
    (contributions, slots) = tree.contributions(to: nodes, pass: pass)
    heldNodes = nodes.count
    slice = slices(of: count, size)[rank]

    /// The operands for the nodes that the host's ranks hold, from float `start` on.
    func shown(from start: Int) -> [ReductionTree.Node: Operand] {
      var operands: [ReductionTree.Node: Operand] = [:]
      for (place, neighbour) in neighbours.enumerated() {
        for (slot, node) in shownNodes(of: neighbour).enumerated() {
          operands[node] = Operand(neighbour == rank ? .mine : .slots(of: place), slot * count + start)
        }
      }
      return operands
    }

    var hostAdditions: [Addition] = []
    var (scatter, spread) = (ExchangePlan(), ExchangePlan())
    var (staged, received) = (0, 0)
    var operands = shown(from: slice.lowerBound)
    for peer in 0..<size where hosts.host(of: peer) != host {
      let theirs = slices(of: count, size)[peer]
      if hosts.delegate(of: host, to: peer) == rank && !theirs.isEmpty {
        for (slot, node) in hostNodes[host].enumerated() {
          if neighbours.count == 1 {
            // Nothing to add: the node is whole in a slot.
            scatter.sends.append(.init(peer: peer, range: theirs.shifted(by: slot * count)))
            continue
          }
          hostAdditions += tree.additions(
            to: node, of: shown(from: theirs.lowerBound), count: theirs.count, into: Operand(.staged, staged))
          scatter.sends.append(.init(peer: peer, range: staged..<staged + theirs.count))
          staged += theirs.count
        }
        spread.receives.append(.init(peer: peer, range: theirs))
      }
      if hosts.delegate(of: hosts.host(of: peer), to: rank) == peer && !slice.isEmpty {
        for node in hostNodes[hosts.host(of: peer)] {
          scatter.receives.append(.init(peer: peer, range: received..<received + slice.count))
          operands[node] = Operand(.received, received)
          received += slice.count
        }
        spread.sends.append(.init(peer: peer, range: slice))
      }
    }
    self.hostAdditions = hostAdditions
    self.staged = staged
    self.scatter = scatter
    self.received = received
    self.spread = spread
    // A rank that owns no float has been sent none: there is no tree for it to finish.
    additions =
      slice.isEmpty
      ? []
      : tree.additions(
        to: tree.root, of: operands, count: slice.count,
        into: Operand(finishesSlices ? .mine : .total, slice.lowerBound))
  }

  /// The beginning of an operand of an addition.
  struct Operand: Sendable, Hashable {
    enum Place: Hashable {
      /// This rank's slots.
      case mine
      /// The slots of another rank of this host, counted within it.
      case slots(of: Int)
      /// The floats for other hosts, and those from them.
      case staged, received
      case total
    }
    let place: Place
    let start: Int

    /// Whether no other rank reads or writes these floats: they are in this core's cache, if in any.
    var isOwn: Bool { place == .mine || place == .received }

    init(_ place: Place, _ start: Int) {
      self.place = place
      self.start = start
    }
  }

  /// `result = left + right` on `count` floats; a copy if `right` is nil.
  struct Addition: Sendable {
    var left: Operand
    var right: Operand?
    var result: Operand
    var count: Int
  }
}

extension Range<Int> {
  func shifted(by offset: Int) -> Range { lowerBound + offset..<upperBound + offset }
}

extension ReductionTree {
  /// The order in which a rank adds its microbatches up to `nodes`, node n in slot n, and the number of slots that it
  /// takes. One pass takes a node of up to `pass` microbatches.
  ///
  /// A left child is worked out in its parent's slot. A right child that is a single pass is added in place; any other
  /// right child takes the next slot and is folded. So a node of 2ᵏ passes takes k slots, and no slot of a finished
  /// node.
  fileprivate func contributions(to nodes: [Node], pass: Int) -> ([ReductionPlan.Contribution], slots: Int) {
    var contributions: [ReductionPlan.Contribution] = []
    var slots = 0
    func evaluate(_ node: Node, slot: Int, _ accumulation: Accumulation) {
      slots = max(slots, slot + 1)
      let covered = covered(by: node)
      if covered.count <= pass {
        contributions.append(.init(microbatches: covered, slot: slot, accumulation: accumulation, folds: []))
        return
      }
      let (left, right) = node.children
      evaluate(left, slot: slot, .replace)
      switch self.covered(by: right).count {
      case 0: break
      case ...pass: evaluate(right, slot: slot, .add)
      default:
        evaluate(right, slot: slot + 1, .replace)
        contributions[contributions.count - 1].folds.append(.init(source: slot + 1, destination: slot))
      }
    }
    for (slot, node) in nodes.enumerated() { evaluate(node, slot: slot, .replace) }
    return (contributions, slots)
  }

  /// The additions on `count` floats that make `node` from `operands`, which cover it, in `result`.
  fileprivate func additions(
    to node: Node, of operands: [Node: ReductionPlan.Operand], count: Int, into result: ReductionPlan.Operand
  ) -> [ReductionPlan.Addition] {
    var additions: [ReductionPlan.Addition] = []
    func evaluate(_ node: Node) -> ReductionPlan.Operand {
      if let operand = operands[node] { return operand }
      let (left, right) = node.children
      let a = evaluate(left)
      if covered(by: right).isEmpty { return a }
      let b = evaluate(right)
      // Both operands have been read for the last time: the memory of one takes the result, if possible this rank's own.
      let taken = b.isOwn && !a.isOwn ? b : a
      additions.append(.init(left: a, right: b, result: taken, count: count))
      return taken
    }
    let last = evaluate(node)
    if additions.isEmpty {
      if last != result { additions.append(.init(left: last, right: nil, result: result, count: count)) }
    } else {
      additions[additions.count - 1].result = result
    }
    return additions
  }
}
