import Kernels
import Tensors

/// How gradients become one sum on every rank: `--reduction`.
public enum ReductionMethod: String, Sendable, CaseIterable {
  /// The fixed tree over microbatches: the same bits at any number of ranks.
  case lockstep
  /// `MPI_Allreduce` over each rank's own sum, for comparison: bits that depend on the number of ranks.
  case mpi
}

/// Adds the gradients of a batch's microbatches, which are spread over the ranks, in the order of one ``ReductionTree``.
///
/// Each rank adds what lies under whole nodes of the tree by itself, and sends slices of those partial sums to the slice's
/// owner; the owner finishes the tree; a second exchange spreads the finished slices. With p = 2ᵏ ranks each sends and
/// receives 2n(p − 1)/p floats in 2(p − 1) messages, as much as a ring moves; with an uneven p a rank holds up to 2·lg
/// nodes instead of one. No MPI reduction operator takes part, so the order of additions is this file's alone.
///
/// Where all ranks share memory, slots and total lie in it and nothing is sent: an owner reads the others' slots in place, and all
/// read the total where the owners wrote it, with a barrier before and after. The additions are the same, so the bits are. What is
/// to be done with the total, an owner then does for its slice alone.
public final class GradientReduction {
  /// What a rank does with one of its microbatches.
  public struct Contribution: Sendable, Equatable {
    /// The microbatch's index within the batch.
    public var microbatch: Int
    /// Where its gradient goes.
    public var slot: Int
    /// Whether the gradient replaces what is there or is added to it.
    public var accumulation: Accumulation
    /// The slots that are then complete and are added to another, in order.
    public var folds: [Fold]
  }

  /// An addition of one slot into another.
  public struct Fold: Sendable, Equatable {
    /// The slot that is read.
    public var source: Int
    /// The slot that it is added to.
    public var destination: Int
  }

  /// One rank's part in the sum over a given number of microbatches; made once.
  public final class Plan: Sendable {
    /// The rank's microbatches, in order.
    public let contributions: [Contribution]
    fileprivate let heldNodes: Int
    fileprivate let slots: Int
    fileprivate let scatter: ExchangePlan
    fileprivate let spread: ExchangePlan
    fileprivate let received: Int
    /// Additions that finish the tree on this rank's slice; operands are of ``slice`` floats each.
    fileprivate let additions: [Addition]
    /// Where the sum is, if there is nothing to add because one rank held everything.
    fileprivate let whole: Operand?
    fileprivate let slice: Range<Int>

    fileprivate init(leaves: Int, count: Int, rank: Int, size: Int, isShared: Bool) {
      let tree = ReductionTree(leaves: leaves)
      let nodes = (0..<size).map { tree.nodes(covering: microbatches(of: leaves, heldBy: $0, of: size)) }
      let slices = (0..<size).map { sliceRange(of: count, ownedBy: $0, of: size) }
      (contributions, slots) = tree.contributions(to: nodes[rank])
      heldNodes = nodes[rank].count
      slice = slices[rank]

      var scatter = ExchangePlan()
      var operands: [ReductionTree.Node: Operand] = [:]
      for (slot, node) in nodes[rank].enumerated() { operands[node] = .held(slot * count + slice.lowerBound) }
      var received = 0
      for peer in 0..<size where peer != rank {
        for slot in 0..<nodes[rank].count where !slices[peer].isEmpty && !isShared {
          let start = slot * count
          scatter.sends.append(
            .init(peer: peer, range: start + slices[peer].lowerBound..<start + slices[peer].upperBound))
        }
        if isShared {
          for (slot, node) in nodes[peer].enumerated() {
            operands[node] = .shown(peer: peer, slot * count + slice.lowerBound)
          }
          continue
        }
        for node in nodes[peer] where !slice.isEmpty {
          scatter.receives.append(.init(peer: peer, range: received..<received + slice.count))
          operands[node] = .received(received)
          received += slice.count
        }
      }
      self.scatter = scatter
      self.received = received

      var spread = ExchangePlan()
      for peer in 0..<size where peer != rank {
        if !slice.isEmpty { spread.sends.append(.init(peer: peer, range: slice)) }
        if !slices[peer].isEmpty { spread.receives.append(.init(peer: peer, range: slices[peer])) }
      }
      self.spread = spread
      // A rank that owns no float has been sent none: there is no tree for it to finish.
      additions = slice.isEmpty ? [] : tree.additions(of: operands)
      whole = slice.isEmpty ? nil : operands[tree.root]
    }
  }

  /// Where an operand of an addition begins.
  fileprivate enum Operand: Sendable, Hashable {
    /// In this rank's own slots.
    case held(Int)
    /// In what other ranks sent.
    case received(Int)
    /// In another rank's slots, in memory that is shared.
    case shown(peer: Int, Int)
    /// In the total.
    case total
  }

  fileprivate struct Addition: Sendable {
    var left: Operand
    var right: Operand
    var result: Operand
  }

  private let communicator: any Communicator
  private let method: ReductionMethod
  private let count: Int
  private let plans: [Int: Plan]
  private let slots: Buffer<Float>
  private let received: Buffer<Float>
  private let total: Buffer<Float>
  /// Every rank's slots (and behind rank 0's the total), where they lie in memory that all share.
  private let shown: [Buffer<Float>]?
  /// Every rank's opinion of its slice, where memory is shared: a cache line each, of which the first float is 1 or 0.
  private let opinions: [Buffer<Float>]

  /// Plans the sum of gradients of `count` floats for each number of microbatches that a batch of the run can have, and
  /// makes every buffer: `count` floats for each level of the tree that a rank holds, and two more. Collective.
  ///
  /// - Parameter sharesMemory: whether to use memory that all ranks share, if they do; it lasts as long as the process.
  public init(
    count: Int, microbatchCounts: Set<Int>, communicator: any Communicator, method: ReductionMethod = .lockstep,
    sharesMemory: Bool = false
  ) throws(CommunicationError) {
    self.communicator = communicator
    self.method = method
    self.count = count
    let (rank, size) = (communicator.rank, communicator.size)
    let usesTree = size > 1 && method == .lockstep
    func plans(isShared: Bool) -> [Int: Plan] {
      Dictionary(
        uniqueKeysWithValues: microbatchCounts.map {
          ($0, Plan(leaves: $0, count: count, rank: rank, size: size, isShared: isShared))
        })
    }
    let shared = plans(isShared: true)
    let slotCount = count * max(1, shared.values.map(\.slots).max() ?? 0)
    if usesTree && sharesMemory,
      let shown = try communicator.sharedBuffers(count: slotCount + (rank == 0 ? count : 0)),
      let opinions = try communicator.sharedBuffers(count: 16)
    {
      self.shown = shown
      self.opinions = opinions
      self.plans = shared
      slots = shown[rank].prefix(slotCount)
      received = Buffer(count: 0)
      total = shown[0][shown[0].count - count..<shown[0].count]
    } else {
      shown = nil
      opinions = []
      self.plans = plans(isShared: false)
      slots = Buffer(count: slotCount)
      received = Buffer(count: usesTree ? self.plans.values.map(\.received).max() ?? 0 : 0)
      total = Buffer(count: usesTree ? count : 0)
    }
  }

  /// This rank's part in a batch of `microbatches` microbatches, one of the counts that were planned.
  public func plan(microbatches: Int) -> Plan {
    guard let plan = plans[microbatches] else { preconditionFailure("no plan for \(microbatches) microbatches") }
    return plan
  }

  /// Where the gradient of a ``Contribution`` goes.
  public func slot(_ index: Int) -> Buffer<Float> { slots[index * count..<(index + 1) * count] }

  /// Carries out the additions that a contribution completes.
  public func fold(_ contribution: Contribution) {
    for fold in contribution.folds { add(slot(fold.source), into: slot(fold.destination)) }
  }

  /// Whether slots and total lie in memory that all ranks share, so that each finishes a slice for all.
  public var isShared: Bool { shown != nil }

  /// The sum over all ranks' contributions to `plan`, which must all be in their slots. Valid until the next batch.
  ///
  /// - Parameters:
  ///   - inspect: called once, before `finish` and with the same; it only looks. Where memory is shared, it costs a barrier.
  ///   - measure: called once where `isMeasured`, after `inspect` and before any rank's `finish`, with the whole total. Where memory is
  ///     shared, it costs another barrier.
  ///   - finish: called once, with the total, the part of it that this rank is to deal with, and whether `inspect` was true on every
  ///     rank: the same on all. The part is its own slice where memory is shared, and what it writes to shared memory is seen by all
  ///     ranks when `reduce` returns; else the whole.
  public func reduce(
    _ plan: Plan, inspect: ((Buffer<Float>, Range<Int>) -> Bool)? = nil, isMeasured: Bool = false,
    measure: (Buffer<Float>) -> Void = { _ in },
    finish: (Buffer<Float>, Range<Int>, Bool) -> Void = { _, _, _ in }
  ) throws(CommunicationError) -> Buffer<Float> {
    if isShared { return try reduceInPlace(plan, inspect, isMeasured: isMeasured, measure, finish) }
    let total =
      switch method {
      case .mpi: try reduceByAllreduce(plan)
      case .lockstep: communicator.size == 1 ? slot(0) : try reduceByTree(plan)
      }
    let isGood = inspect?(total, 0..<count) ?? true
    if isMeasured { measure(total) }
    finish(total, 0..<count, isGood)
    return total
  }

  private func reduceInPlace(
    _ plan: Plan, _ inspect: ((Buffer<Float>, Range<Int>) -> Bool)?, isMeasured: Bool,
    _ measure: (Buffer<Float>) -> Void, _ finish: (Buffer<Float>, Range<Int>, Bool) -> Void
  ) throws(CommunicationError) -> Buffer<Float> {
    // Behind this barrier everybody's slots are complete, and nobody reads the last total any more.
    try communicator.barrier()
    finishTree(plan)
    var isGood = true
    if let inspect {
      opinions[communicator.rank][0] = inspect(total, plan.slice) ? 1 : 0
      // Behind this one are the opinions.
      try communicator.barrier()
      for opinion in opinions where opinion[0] == 0 { isGood = false }
    }
    if isMeasured {
      // Before this one the total is complete, and behind the other it may be written over.
      if inspect == nil { try communicator.barrier() }
      measure(total)
      try communicator.barrier()
    }
    finish(total, plan.slice, isGood)
    // Behind this one all that was made of the total is, and nobody reads this rank's slots any more.
    try communicator.barrier()
    return total
  }

  private func reduceByTree(_ plan: Plan) throws(CommunicationError) -> Buffer<Float> {
    try communicator.exchange(plan.scatter, from: slots, into: received)
    finishTree(plan)
    try communicator.exchange(plan.spread, from: total, into: total)
    return total
  }

  /// The additions from all ranks' nodes to the root, on this rank's slice of the total.
  private func finishTree(_ plan: Plan) {
    for addition in plan.additions {
      sum(
        operand(addition.left, plan), operand(addition.right, plan), into: operand(addition.result, plan))
    }
    if let whole = plan.whole { operand(.total, plan).copy(from: operand(whole, plan)) }
  }

  private func reduceByAllreduce(_ plan: Plan) throws(CommunicationError) -> Buffer<Float> {
    if plan.heldNodes == 0 { slot(0).fill(0) }
    for node in 1..<max(1, plan.heldNodes) { add(slot(node), into: slot(0)) }
    try communicator.allreduce(slot(0))
    return slot(0)
  }

  private func operand(_ operand: Operand, _ plan: Plan) -> Buffer<Float> {
    switch operand {
    case .held(let start): slots[start..<start + plan.slice.count]
    case .received(let start): received[start..<start + plan.slice.count]
    case .shown(let peer, let start): shown?[peer][start..<start + plan.slice.count] ?? received
    case .total: total[plan.slice]
    }
  }
}

/// The microbatches of a batch of `count` that a rank holds: as even as whole microbatches allow, in order of rank.
public func microbatches(of count: Int, heldBy rank: Int, of size: Int) -> Range<Int> {
  rank * count / size..<(rank + 1) * count / size
}

/// The floats that a rank finishes: even slices that begin at multiples of 16 floats, so that two owners share no cache line.
private func sliceRange(of count: Int, ownedBy rank: Int, of size: Int) -> Range<Int> {
  let lines = (count + 15) / 16
  return min(rank * lines / size * 16, count)..<min((rank + 1) * lines / size * 16, count)
}

extension ReductionTree {
  /// The order in which a rank adds its microbatches up to `nodes`, node n in slot n, and the number of slots it takes.
  ///
  /// A left child is worked out in its parent's slot; a right child that is a single microbatch is added in place; any other
  /// right child takes the next slot and is folded. So a node of 2ᵏ microbatches takes k slots, and no slot of a finished node.
  fileprivate func contributions(to nodes: [Node]) -> ([GradientReduction.Contribution], slots: Int) {
    var contributions: [GradientReduction.Contribution] = []
    var slots = 0
    func evaluate(_ node: Node, slot: Int, _ accumulation: Accumulation) {
      slots = max(slots, slot + 1)
      let covered = covered(by: node)
      if covered.count == 1 {
        contributions.append(
          .init(microbatch: covered.lowerBound, slot: slot, accumulation: accumulation, folds: []))
        return
      }
      let (left, right) = node.children
      evaluate(left, slot: slot, .replace)
      switch self.covered(by: right).count {
      case 0: break
      case 1: evaluate(right, slot: slot, .add)
      default:
        evaluate(right, slot: slot + 1, .replace)
        contributions[contributions.count - 1].folds.append(.init(source: slot + 1, destination: slot))
      }
    }
    for (slot, node) in nodes.enumerated() { evaluate(node, slot: slot, .replace) }
    return (contributions, slots)
  }

  /// The additions that make the root of `operands`, which cover all leaves; the last one's result is the total.
  fileprivate func additions(
    of operands: [Node: GradientReduction.Operand]
  ) -> [GradientReduction.Addition] {
    var additions: [GradientReduction.Addition] = []
    func evaluate(_ node: Node) -> GradientReduction.Operand {
      if let operand = operands[node] { return operand }
      let (left, right) = node.children
      let a = evaluate(left)
      if covered(by: right).isEmpty { return a }
      let b = evaluate(right)
      // The left operand has been read for the last time: its memory takes the result.
      additions.append(.init(left: a, right: b, result: node == root ? .total : a))
      return a
    }
    _ = evaluate(root)
    return additions
  }
}
