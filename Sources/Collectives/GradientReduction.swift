import Kernels
import Tensors

/// Adds the gradients of a batch's microbatches, which are spread over the ranks, in the order of one ``ReductionTree``.
///
/// Each rank adds by itself what lies under whole nodes of the tree. Ranks of one host then add in memory that they
/// share: each works out slices of the nodes that the host holds wholly, and sends them to the slices' owners on other
/// hosts. The owner finishes the tree on its slice and sends it to one rank of each other host, and all find the total
/// in their host's memory. No MPI reduction operator takes part, so this file alone decides the order of additions.
///
/// With h = 2ⁱ hosts of s = 2ʲ ranks, each rank sends and receives 2n(h − 1)/p floats in 2(h − 1) messages: a host
/// sends as much as in a ring of hosts. If every rank is alone, that is a ring of ranks; on one host nothing is sent.
/// With uneven numbers a host holds up to 2·lg nodes instead of one, and sends each. The additions are the same however
/// ranks and hosts are cut, and so are the bits.
public final class GradientReduction {
  private let communicator: any Communicator
  private let method: ReductionMethod
  private let count: Int
  private let hosts: HostMap
  private let plans: [Int: ReductionPlan]
  /// The plans of sums whose halves are shown.
  private let halvedPlans: [Int: ReductionPlan]
  /// The slots of each rank of this host, as the others see them.
  private let slots: [Buffer<Float>]
  /// This rank among those of its host.
  private let place: Int
  /// This rank's slots: where gradients are worked out.
  private let mine: Buffer<Float>
  /// Whether ``mine`` is memory of this rank alone, and the others get copies of what they read.
  private let isPublished: Bool
  private let staged: Buffer<Float>
  private let received: Buffer<Float>
  /// The sum, one for each host.
  private let total: Buffer<Float>

  /// Every rank's opinion of its slice, one copy for each host: a cache line for each rank, whose first float is 1 or
  /// 0.
  private let opinions: Buffer<Float>
  private let opinionSpread: ExchangePlan

  /// Whether each rank finishes its slice for all, and spreads what it made of it.
  public let finishesSlices: Bool

  /// Plans the sum of gradients of `count` floats for each number of microbatches that a batch of the run can have, and
  /// makes every buffer: `count` floats for each level of the tree that a rank holds (twice if sums are shown to
  /// others as copies), and up to two more. Collective. Throws ``CommunicationError``, as the other collective methods
  /// do.
  ///
  /// - Parameters:
  ///   - sharesMemory: whether ranks of one host add in memory that they share; it lasts as long as the process.
  ///   - finishesSlices: whether each rank finishes its slice for all; nil for true if all ranks share memory.
  ///   - passMicrobatches: the most microbatches that a rank adds up in one pass, a power of two.
  public init(
    count: Int, microbatchCounts: Set<Int>, communicator: any Communicator, method: ReductionMethod = .lockstep,
    sharesMemory: Bool = false, finishesSlices: Bool? = nil, passMicrobatches: Int = 1
  ) throws {
    self.communicator = communicator
    self.method = method
    self.count = count
    let (rank, size) = (communicator.rank, communicator.size)
    let usesTree = size > 1 && method == .lockstep
    let hosts = sharesMemory && usesTree ? communicator.hosts : .apart(size)
    self.hosts = hosts
    let finishesSlices = usesTree && (finishesSlices ?? (hosts.ranks.count == 1))
    self.finishesSlices = finishesSlices
    func makePlans(keepsHalves: Bool) -> [Int: ReductionPlan] {
      Dictionary(
        uniqueKeysWithValues: microbatchCounts.map {
          (
            $0,
            ReductionPlan(
              leaves: $0, count: count, rank: rank, hosts: hosts, pass: passMicrobatches,
              finishesSlices: finishesSlices, keepsHalves: keepsHalves)
          )
        })
    }
    let plans = makePlans(keepsHalves: false)
    // Of several ranks none holds both halves, and their last addition is that of the halves anyway.
    let halvedPlans = size == 1 ? makePlans(keepsHalves: true) : plans
    (self.plans, self.halvedPlans) = (plans, halvedPlans)
    func most(_ part: KeyPath<ReductionPlan, Int>) -> Int {
      (Array(plans.values) + Array(halvedPlans.values)).map { $0[keyPath: part] }.max() ?? 0
    }
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

  /// The floats of a cache line, which two ranks must not both write to.
  private static let line = 16

  /// The largest sum that a rank works out in its own memory and copies, 32 MB. Lines that another core has read must be asked for again, one
  /// by one, before a kernel writes to them; a copy asks for many at once. Beyond, the memory counts for more.
  private static let mostPublished = 1 << 23

  /// The plan that sends each rank's opinion to one rank of every other host.
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

  /// This rank's part in a batch of `microbatches` microbatches, one of the counts that were planned. With
  /// `showsHalves`, ``sum(_:showing:)`` can show the sum's halves; the sum has the same bits.
  public func plan(microbatches: Int, showsHalves: Bool = false) -> ReductionPlan {
    guard let plan = (showsHalves ? halvedPlans : plans)[microbatches] else {
      preconditionFailure("no plan for \(microbatches) microbatches")
    }
    return plan
  }

  /// The buffer for the gradient of a ``ReductionPlan/Contribution``.
  public func slot(_ index: Int) -> Buffer<Float> { mine[index * count..<(index + 1) * count] }

  /// Carries out the additions that a contribution completes.
  public func fold(_ contribution: ReductionPlan.Contribution) {
    for fold in contribution.folds { add(slot(fold.source), into: slot(fold.destination)) }
  }

  /// The part of a batch's sum that this rank deals with.
  public struct Part {
    /// A buffer as long as the gradient, complete in ``range``. Must only be read.
    public let floats: Buffer<Float>
    /// This rank's slice if the reduction ``GradientReduction/finishesSlices``, else the whole.
    public let range: Range<Int>
    /// What the last addition found of the slice; nil if nobody has looked.
    fileprivate let found: Bool?

    /// Whether all of it is finite.
    public var isFinite: Bool { found ?? allFinite(floats[range]) }
  }

  /// The extent of the wait in ``agree(_:awaiting:)``, if slices are finished. Each case costs more than the one before
  /// it. If every rank has the whole sum, there is nothing to wait for.
  public enum Awaited: Comparable, Sendable {
    /// Nothing, on one host. This saves a barrier, and only ``spread(_:isShown:)`` knows the others' opinions.
    case nothing
    /// All ranks' opinions: a barrier, and between hosts an exchange.
    case opinions
    /// All opinions and the whole sum: between hosts another exchange, and in ``spread(_:isShown:)`` another barrier.
    case total
  }

  /// The phase of a batch. Each of the methods below is one, in this order: slots are filled, ``sum(_:)``,
  /// ``agree(_:awaiting:)`` if ranks must, ``spread(_:isShown:)``. All are collective. Leaving one out is a trap, because the
  /// ranks would part there.
  private enum Phase {
    case filling
    case summed(ReductionPlan)
    case agreed(ReductionPlan, Awaited, isGood: Bool)
  }
  private var phase = Phase.filling

  /// Adds up all ranks' contributions to `plan`, which must all be in their slots.
  ///
  /// - Parameter halves: is shown the two halves of this rank's slice before they are added: the sums over the
  ///   microbatches under the root's left child, and under its right one. Not shown: halves of a single microbatch, and
  ///   of a sum by ``ReductionMethod/mpi``. The plan must be one that shows them, and every rank must hold a microbatch.
  public func sum(_ plan: ReductionPlan, showing halves: (any HalvesReader)? = nil) throws -> Part {
    guard case .filling = phase else { preconditionFailure("a sum is begun before the last one was spread") }
    var sliceIsFinite: Bool?
    switch method {
    case .mpi: try sumByAllreduce(plan)
    case .lockstep:
      sliceIsFinite =
        communicator.size > 1
        ? try sumByTree(plan, showing: halves)
        : plan.heldNodes > 1 ? carryOut(plan.additions, from: plan.slice.lowerBound, showing: halves) : nil
    }
    phase = .summed(plan)
    // A slice is not copied to the total. Stores to lines that another core has read ask for them back one by one,
    // while the copy of what is made of the sum need not.
    return finishesSlices
      ? Part(floats: slot(0), range: plan.slice, found: sliceIsFinite)
      : Part(floats: total, range: 0..<count, found: nil)
  }

  /// Tells the others whether this rank's ``Part`` is good, and returns whether all are. If opinions are not awaited,
  /// the result may be this rank's alone.
  public func agree(_ isGood: Bool, awaiting awaited: Awaited = .opinions) throws -> Bool {
    guard case .summed(let plan) = phase else { preconditionFailure("ranks agree on a sum before there is one") }
    var everybodys = isGood
    // Between hosts an opinion is a message, which somebody must wait for.
    let awaited = hosts.ranks.count > 1 ? max(awaited, .opinions) : awaited
    if finishesSlices {
      opinions[communicator.rank * Self.line] = isGood ? 1 : 0
      if awaited == .total {
        total[plan.slice].copy(from: slot(0)[plan.slice])
        try exchange(plan.spread, from: total, into: total)
      }
      if awaited >= .opinions {
        try exchange(opinionSpread, from: opinions, into: opinions)
        try meetOnHost()
        everybodys = isEverybodyGood
      }
    }
    phase = .agreed(plan, awaited, isGood: everybodys)
    return everybodys
  }

  /// The whole sum, the same on every rank, after it was awaited and until it is spread. Must only be read.
  public var awaitedTotal: Buffer<Float> {
    switch phase {
    case .agreed(_, .total, _): break
    case .agreed where !finishesSlices: break
    default: preconditionFailure("nobody has waited for the whole sum")
    }
    return total
  }

  /// The memory, as long as the gradient, to which ``spread(_:isShown:)`` copies this rank's results for the others. Whoever works them out
  /// may write them there on the way, after ``agree(_:awaiting:)``. nil if others may still read there, or if nothing is copied.
  public var shownResults: Buffer<Float>? {
    guard finishesSlices, case .agreed(_, let awaited, _) = phase, awaited != .total else { return nil }
    return total
  }

  /// Ends the batch: gives every rank what the others made of their parts.
  ///
  /// - Parameters:
  ///   - made: this rank's results of its part of the sum, float for float: the weights. If the reduction
  ///     ``finishesSlices``, it receives the others' slices, and only the sum behind `made` is returned.
  ///   - isShown: whether this rank's results are all in ``shownResults`` already.
  /// - Returns: the total, valid until the next batch, and whether every rank found its part good: the same on all.
  @discardableResult
  public func spread(
    _ made: Buffer<Float>? = nil, isShown: Bool = false
  ) throws -> (total: Buffer<Float>, isGood: Bool) {
    let plan: ReductionPlan
    var (awaited, isGood): (Awaited?, Bool) = (nil, true)
    switch phase {
    case .filling: preconditionFailure("a sum is spread before there is one")
    case .summed(let summed): plan = summed
    case .agreed(let agreed, let waited, let good): (plan, awaited, isGood) = (agreed, waited, good)
    }
    defer { phase = .filling }
    guard finishesSlices else { return (total, isGood) }
    // Behind this one nobody reads the total any more.
    if awaited == .total { try meetOnHost() }
    let made = made ?? total.prefix(0)
    let (mine, rest) = (plan.slice.clamped(to: 0..<made.count), plan.slice.clamped(to: made.count..<count))
    if !isShown { total[mine].copy(from: made[mine]) }
    total[rest].copy(from: slot(0)[rest])
    try exchange(plan.spread, from: total, into: total)
    // Behind this one the total is complete, and none of the host's ranks reads this one's slots any more.
    try meetOnHost()
    for others in [0..<mine.lowerBound, mine.upperBound..<made.count] { made[others].copy(from: total[others]) }
    // Behind the last barrier everybody's opinion is there.
    return (total, awaited == .nothing ? isEverybodyGood : isGood)
  }

  /// Completes this rank's slice of the sum: in its first slot if it finishes slices, else in the total, which is then
  /// spread.
  ///
  /// - Returns: whether the slice is finite; nil if nothing was to be added.
  private func sumByTree(_ plan: ReductionPlan, showing halves: (any HalvesReader)?) throws -> Bool? {
    if isPublished { publish(plan) }
    // Behind this barrier the slots of the host's ranks are complete, and none of them reads the last total any more.
    try meetOnHost()
    carryOut(plan.hostAdditions)
    let isAlone = slots.count == 1
    try exchange(plan.scatter, from: isAlone ? mine : staged, into: received)
    // What is not finite stays so in a sum, so the last addition tells.
    let isFinite = carryOut(plan.additions, from: plan.slice.lowerBound, showing: halves)
    guard !finishesSlices else { return isFinite }
    try exchange(plan.spread, from: total, into: total)
    // As at the end of `spread`.
    try meetOnHost()
    return isFinite
  }

  /// Shows the others this rank's nodes, except the slice that it finishes itself.
  private func publish(_ plan: ReductionPlan) {
    for node in 0..<plan.heldNodes {
      for others in [0..<plan.slice.lowerBound, plan.slice.upperBound..<count] {
        let range = others.shifted(by: node * count)
        slots[place][range].copy(from: mine[range])
      }
    }
  }

  private var isEverybodyGood: Bool {
    (0..<communicator.size).allSatisfy { opinions[$0 * Self.line] == 1 }
  }

  private func meetOnHost() throws {
    if slots.count > 1 { try communicator.hostBarrier() }
  }

  private func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws {
    if hosts.ranks.count > 1 { try communicator.exchange(plan, from: source, into: destination) }
  }

  /// Carries the additions out, and returns whether the last one's result is finite; nil if there is none to tell.
  /// `halves` is shown that one's operands, which begin at float `start` of the gradient.
  @discardableResult
  private func carryOut(
    _ additions: [ReductionPlan.Addition], from start: Int = 0, showing halves: (any HalvesReader)? = nil
  ) -> Bool? {
    var isFinite: Bool?
    for (index, addition) in additions.enumerated() {
      let left = floats(addition.left, addition.count)
      let result = floats(addition.result, addition.count)
      let isLast = index == additions.count - 1
      if let right = addition.right {
        let right = floats(right, addition.count)
        if isLast {
          halves?.read(left, right, from: start)
          isFinite = sumIsFinite(left, right, into: result)
        } else {
          Kernels.sum(left, right, into: result)
        }
      } else {
        result.copy(from: left)
      }
    }
    return isFinite
  }

  private func floats(_ operand: ReductionPlan.Operand, _ count: Int) -> Buffer<Float> {
    let range = operand.start..<operand.start + count
    return switch operand.place {
    case .mine: mine[range]
    case .slots(let place): slots[place][range]
    case .staged: staged[range]
    case .received: received[range]
    case .total: total[range]
    }
  }

  private func sumByAllreduce(_ plan: ReductionPlan) throws {
    if plan.heldNodes == 0 { slot(0).fill(0) }
    for node in 1..<max(1, plan.heldNodes) { add(slot(node), into: slot(0)) }
    try communicator.allreduce(slot(0))
  }
}
