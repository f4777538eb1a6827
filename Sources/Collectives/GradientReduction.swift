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
/// Each rank adds what lies under whole nodes of the tree by itself. Ranks of one host then add in memory that they share: each
/// works out slices of the nodes that the host holds wholly, and sends them to the slices' owners on other hosts. The owner finishes
/// the tree on its slice, sends it to one rank of each other host, and all find the total in their host's memory. No MPI reduction
/// operator takes part, so the order of additions is this file's alone.
///
/// With h = 2ⁱ hosts of s = 2ʲ ranks each rank sends and receives 2n(h − 1)/p floats in 2(h − 1) messages: a host, as much as in a
/// ring of hosts. Where every rank is alone, that is a ring of ranks; on one host nothing is sent. With uneven numbers a host
/// holds up to 2·lg nodes instead of one, and sends each. The additions are the same however ranks and hosts are cut, and so are the
/// bits.
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
    /// The floats that this rank finishes.
    public let slice: Range<Int>
    fileprivate let heldNodes: Int
    fileprivate let slots: Int
    /// What this rank works out of its host's nodes for owners on other hosts.
    fileprivate let hostAdditions: [Addition]
    fileprivate let staged: Int
    fileprivate let scatter: ExchangePlan
    fileprivate let received: Int
    /// What finishes the tree on this rank's slice.
    fileprivate let additions: [Addition]
    fileprivate let spread: ExchangePlan

    fileprivate init(leaves: Int, count: Int, rank: Int, hosts: HostMap, size: Int, finishesSlices: Bool) {
      let tree = ReductionTree(leaves: leaves)
      let held = (0..<size).map { microbatches(of: leaves, heldBy: $0, of: size) }
      let host = hosts.host(of: rank)
      let neighbours = hosts.neighbours(of: rank)
      let nodes = tree.nodes(covering: held[rank])
      let hostNodes = hosts.ranks.map { tree.nodes(covering: $0.map { held[$0] }) }
      (contributions, slots) = tree.contributions(to: nodes)
      heldNodes = nodes.count
      slice = slices(of: count, size)[rank]

      /// Where the floats from `start` on of what the host's ranks hold are.
      func shown(from start: Int) -> [ReductionTree.Node: Operand] {
        var operands: [ReductionTree.Node: Operand] = [:]
        for (place, neighbour) in neighbours.enumerated() {
          for (slot, node) in tree.nodes(covering: held[neighbour]).enumerated() {
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
  }

  /// Where an operand of an addition begins.
  fileprivate struct Operand: Sendable, Hashable {
    enum Place: Hashable {
      /// This rank's slots.
      case mine
      /// The slots of another rank of this host, counted within it.
      case slots(of: Int)
      /// What this rank sends to other hosts, and what they sent.
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

  /// `result = left + right` on `count` floats; a copy where there is no right one.
  fileprivate struct Addition: Sendable {
    var left: Operand
    var right: Operand?
    var result: Operand
    var count: Int
  }

  private let communicator: any Communicator
  private let method: ReductionMethod
  private let count: Int
  private let hosts: HostMap
  private let plans: [Int: Plan]
  /// The slots of each rank of this host, as the others see them.
  private let slots: [Buffer<Float>]
  /// This rank among those of its host.
  private let place: Int
  /// This rank's slots: where gradients are worked out.
  private let mine: Buffer<Float>
  /// Whether ``mine`` is memory of this rank's own, of which the others are shown what they are to read.
  private let isPublished: Bool
  private let staged: Buffer<Float>
  private let received: Buffer<Float>
  /// One a host.
  private let total: Buffer<Float>

  /// Every rank's opinion of its slice, a cache line each, of which the first float is 1 or 0; one a host.
  private let opinions: Buffer<Float>
  private let opinionSpread: ExchangePlan

  /// Whether each rank finishes its slice for all: what it makes of the sum is then what is spread.
  public let finishesSlices: Bool

  /// Plans the sum of gradients of `count` floats for each number of microbatches that a batch of the run can have, and
  /// makes every buffer: `count` floats for each level of the tree that a rank holds (twice where small sums are shown to others in
  /// copies), and up to two more. Collective.
  ///
  /// - Parameters:
  ///   - sharesMemory: whether ranks of one host add in memory that they share; it lasts as long as the process.
  ///   - finishesSlices: see the property; nil for where all ranks share memory.
  public init(
    count: Int, microbatchCounts: Set<Int>, communicator: any Communicator, method: ReductionMethod = .lockstep,
    sharesMemory: Bool = false, finishesSlices: Bool? = nil
  ) throws(CommunicationError) {
    self.communicator = communicator
    self.method = method
    self.count = count
    let (rank, size) = (communicator.rank, communicator.size)
    let usesTree = size > 1 && method == .lockstep
    let hosts = sharesMemory && usesTree ? communicator.hosts : .apart(size)
    self.hosts = hosts
    let finishesSlices = usesTree && (finishesSlices ?? (hosts.ranks.count == 1))
    self.finishesSlices = finishesSlices
    let plans = Dictionary(
      uniqueKeysWithValues: microbatchCounts.map {
        ($0, Plan(leaves: $0, count: count, rank: rank, hosts: hosts, size: size, finishesSlices: finishesSlices))
      })
    self.plans = plans
    func most(_ part: KeyPath<Plan, Int>) -> Int { plans.values.map { $0[keyPath: part] }.max() ?? 0 }
    let slotCount = count * max(1, most(\.slots))
    place = hosts.neighbours(of: rank).firstIndex(of: rank) ?? 0
    isPublished = hosts != .apart(size) && count <= Self.mostPublished
    if hosts == .apart(size) {
      mine = Buffer(count: slotCount)
      slots = [mine]
      total = usesTree ? Buffer(count: count) : mine.prefix(count)
    } else {
      // The total lies behind the slots of the host's first rank.
      let isFirst = hosts.neighbours(of: rank)[0] == rank
      slots = try communicator.sharedBuffers(count: slotCount + (isFirst ? count : 0))
      mine = isPublished ? Buffer(count: slotCount) : slots[place].prefix(slotCount)
      total = slots[0][slots[0].count - count..<slots[0].count]
    }
    opinions =
      hosts == .apart(size)
      ? Buffer(count: size * Self.line)
      : try communicator.sharedBuffers(
        count: hosts.neighbours(of: rank)[0] == rank ? size * Self.line : 0)[0]
    opinionSpread = Self.opinionSpread(rank: rank, hosts: hosts, size: size)
    staged = Buffer(count: most(\.staged))
    received = Buffer(count: usesTree ? most(\.received) : 0)
  }

  /// Floats that two ranks must not both write to.
  private static let line = 16

  /// The largest sum that is worked out in memory of a rank's own and copied. A line that another core has read must be asked for again
  /// before a kernel may write to it, one by one; a copy asks for many at once. Measured: it pays while a gradient stays in the
  /// second-level cache.
  private static let mostPublished = 1 << 17

  /// Each rank's opinion to one rank of every other host.
  private static func opinionSpread(rank: Int, hosts: HostMap, size: Int) -> ExchangePlan {
    var spread = ExchangePlan()
    for peer in 0..<size where hosts.host(of: peer) != hosts.host(of: rank) {
      if hosts.delegate(of: hosts.host(of: peer), to: rank) == peer {
        spread.sends.append(.init(peer: peer, range: rank * line..<(rank + 1) * line))
      }
      if hosts.delegate(of: hosts.host(of: rank), to: peer) == rank {
        spread.receives.append(.init(peer: peer, range: peer * line..<(peer + 1) * line))
      }
    }
    return spread
  }

  /// Whether all ranks add in memory that they share.
  public var isShared: Bool { hosts.ranks.count == 1 && slots.count > 1 }

  /// This rank's part in a batch of `microbatches` microbatches, one of the counts that were planned.
  public func plan(microbatches: Int) -> Plan {
    guard let plan = plans[microbatches] else { preconditionFailure("no plan for \(microbatches) microbatches") }
    return plan
  }

  /// Where the gradient of a ``Contribution`` goes.
  public func slot(_ index: Int) -> Buffer<Float> { mine[index * count..<(index + 1) * count] }

  /// Carries out the additions that a contribution completes.
  public func fold(_ contribution: Contribution) {
    for fold in contribution.folds { add(slot(fold.source), into: slot(fold.destination)) }
  }

  /// The sum over all ranks' contributions to `plan`, which must all be in their slots. Valid until the next batch.
  ///
  /// - Parameters:
  ///   - made: what `finish` makes of the sum, float for float: the weights. Where the reduction ``finishesSlices``, each rank makes its
  ///     slice and gets the others'; of the sum then only what lies behind `made` is returned.
  ///   - inspect: called once, before `finish` and with the same; it only looks.
  ///   - isAwaited: whether `finish` waits for the opinions of all ranks, which costs a barrier where slices are finished; else it
  ///     may know this rank's alone.
  ///   - measure: called once where `isMeasured`, after `inspect` and before any rank's `finish`, with the whole total. Where slices are
  ///     finished, it costs another barrier, and between hosts another exchange.
  ///   - finish: called once, with memory that holds the total, which it only reads, in the part that this rank is to deal with; with
  ///     that part; and whether `inspect` was true on every rank that was waited for. The part is its slice where the reduction
  ///     ``finishesSlices``, else the whole.
  /// - Returns: the total, and whether `inspect` was true on every rank: the same on all.
  public func reduce(
    _ plan: Plan, making made: Buffer<Float>? = nil, inspect: ((Buffer<Float>, Range<Int>) -> Bool)? = nil,
    isAwaited: Bool = true, isMeasured: Bool = false, measure: (Buffer<Float>) -> Void = { _ in },
    finish: (Buffer<Float>, Range<Int>, Bool) -> Void = { _, _, _ in }
  ) throws(CommunicationError) -> (total: Buffer<Float>, isGood: Bool) {
    guard finishesSlices else {
      switch method {
      case .mpi: try reduceByAllreduce(plan)
      case .lockstep: if communicator.size > 1 { try reduceByTree(plan) {} }
      }
      let isGood = inspect?(total, 0..<count) ?? true
      if isMeasured { measure(total) }
      finish(total, 0..<count, isGood)
      return (total, isGood)
    }
    let made = made ?? total.prefix(0)
    let (mine, rest) = (plan.slice.clamped(to: 0..<made.count), plan.slice.clamped(to: made.count..<count))
    // Not in the total: stores to lines that another core has read ask for them back one by one. The copy of what is made of the sum
    // need not.
    let sum = slot(0)
    var isGood = true
    // Between hosts an opinion is a message, which somebody must wait for.
    let isAwaited = isAwaited || isMeasured || hosts.ranks.count > 1
    try reduceByTree(plan) { () throws(CommunicationError) in
      if inspect != nil || isMeasured {
        if isMeasured {
          total[plan.slice].copy(from: sum[plan.slice])
          try exchange(plan.spread, from: total, into: total)
        }
        isGood = try say(inspect?(sum, plan.slice) ?? true, isAwaited: isAwaited)
      }
      if isMeasured {
        measure(total)
        // Behind this one the total may be written over.
        try meetOnHost()
      }
      finish(sum, plan.slice, isGood)
      total[mine].copy(from: made[mine])
      total[rest].copy(from: sum[rest])
    }
    for others in [0..<mine.lowerBound, mine.upperBound..<made.count] { made[others].copy(from: total[others]) }
    // Behind the last barrier everybody's opinion is there.
    if inspect != nil && !isAwaited { isGood = isEverybodyGood }
    return (total, isGood)
  }

  /// Makes the total, with `finishSlice` called once this rank's slice of it is complete, in its first slot where it finishes slices,
  /// and not yet spread.
  private func reduceByTree(
    _ plan: Plan, _ finishSlice: () throws(CommunicationError) -> Void
  ) throws(CommunicationError) {
    if isPublished { publish(plan) }
    // Behind this barrier the slots of the host's ranks are complete, and none of them reads the last total any more.
    try meetOnHost()
    carryOut(plan.hostAdditions)
    let isAlone = slots.count == 1
    try exchange(plan.scatter, from: isAlone ? mine : staged, into: received)
    carryOut(plan.additions)
    try finishSlice()
    try exchange(plan.spread, from: total, into: total)
    // Behind this one the total is, and none of them reads this rank's slots any more.
    try meetOnHost()
  }

  /// Shows the others this rank's nodes, but for the slice that it finishes itself.
  private func publish(_ plan: Plan) {
    for node in 0..<plan.heldNodes {
      for others in [0..<plan.slice.lowerBound, plan.slice.upperBound..<count] {
        let range = others.shifted(by: node * count)
        slots[place][range].copy(from: mine[range])
      }
    }
  }

  /// Says this rank's opinion and returns it, or, awaited, that of all ranks: behind that the host's total is complete.
  private func say(_ opinion: Bool, isAwaited: Bool) throws(CommunicationError) -> Bool {
    opinions[communicator.rank * Self.line] = opinion ? 1 : 0
    guard isAwaited else { return opinion }
    try exchange(opinionSpread, from: opinions, into: opinions)
    try meetOnHost()
    return isEverybodyGood
  }

  private var isEverybodyGood: Bool {
    (0..<communicator.size).allSatisfy { opinions[$0 * Self.line] == 1 }
  }

  private func meetOnHost() throws(CommunicationError) {
    if slots.count > 1 { try communicator.hostBarrier() }
  }

  private func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError) {
    if hosts.ranks.count > 1 { try communicator.exchange(plan, from: source, into: destination) }
  }

  private func carryOut(_ additions: [Addition]) {
    for addition in additions {
      let left = floats(addition.left, addition.count)
      let result = floats(addition.result, addition.count)
      if let right = addition.right {
        sum(left, floats(right, addition.count), into: result)
      } else {
        result.copy(from: left)
      }
    }
  }

  private func floats(_ operand: Operand, _ count: Int) -> Buffer<Float> {
    let range = operand.start..<operand.start + count
    return switch operand.place {
    case .mine: mine[range]
    case .slots(let place): slots[place][range]
    case .staged: staged[range]
    case .received: received[range]
    case .total: total[range]
    }
  }

  private func reduceByAllreduce(_ plan: Plan) throws(CommunicationError) {
    if plan.heldNodes == 0 { slot(0).fill(0) }
    for node in 1..<max(1, plan.heldNodes) { add(slot(node), into: slot(0)) }
    try communicator.allreduce(slot(0))
  }
}

/// The microbatches of a batch of `count` that a rank holds: as even as whole microbatches allow, in order of rank.
public func microbatches(of count: Int, heldBy rank: Int, of size: Int) -> Range<Int> {
  rank * count / size..<(rank + 1) * count / size
}

/// The floats that each of `size` ranks finishes: even slices that begin at multiples of 16 floats, so that two owners share no
/// cache line.
public func slices(of count: Int, _ size: Int) -> [Range<Int>] {
  let lines = (count + 15) / 16
  return (0..<size).map { min($0 * lines / size * 16, count)..<min(($0 + 1) * lines / size * 16, count) }
}

extension Range<Int> {
  fileprivate func shifted(by offset: Int) -> Range { lowerBound + offset..<upperBound + offset }
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

  /// The additions on `count` floats that make `node` of `operands`, which cover it, with its value in `result`.
  fileprivate func additions(
    to node: Node, of operands: [Node: GradientReduction.Operand], count: Int, into result: GradientReduction.Operand
  ) -> [GradientReduction.Addition] {
    var additions: [GradientReduction.Addition] = []
    func evaluate(_ node: Node) -> GradientReduction.Operand {
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
