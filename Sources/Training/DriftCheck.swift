import Collectives
import Kernels
import Tensors

/// Compares the weights that the ranks compute with. If their bits differ, a processor or its memory is at fault.
///
/// Each rank sends the others a fingerprint of 64 bits, as four floats: p − 1 short messages a rank. Nothing is
/// allocated.
public final class DriftCheck {
  /// The pieces of a fingerprint, of 16 bits each, which a float holds exactly.
  private static let pieces = 4

  /// The last step after which all ranks were seen to have the same weights.
  private(set) var verifiedAtStep = 0

  private let communicator: any Communicator
  private let prints: Buffer<Float>
  private let plan: ExchangePlan

  /// A check among the ranks of `communicator`.
  public init(_ communicator: any Communicator) {
    self.communicator = communicator
    func place(_ rank: Int) -> Range<Int> { rank * Self.pieces..<(rank + 1) * Self.pieces }
    let others = (0..<communicator.size).filter { $0 != communicator.rank }
    prints = Buffer(count: communicator.size * Self.pieces)
    plan = ExchangePlan(
      sends: others.map { .init(peer: $0, range: place(communicator.rank)) },
      receives: others.map { .init(peer: $0, range: place($0)) })
  }

  /// Notes that all ranks have the weights of a checkpoint of this step.
  package func hasRestored(_ step: Int) { verifiedAtStep = step }

  /// Throws with 70 on every rank if the ranks' `parameters` differ after `step`. Collective.
  package func verify(_ parameters: Buffer<Float>, step: Int) throws {
    let ranks = try differingRanks(parameters)
    guard !ranks.isEmpty else {
      verifiedAtStep = step
      return
    }
    let hosts = try communicator.gatherText(ProcessFacts.hostName)
    let names = ranks.map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    let right = (0..<communicator.size).first { !ranks.contains($0) } ?? 0
    throw TrainingError.agreed(
      .rankFailed,
      "step \(step): the weights of \(names) differ from those of rank \(right) on \(hosts[right]), as they did not after step "
        + "\(verifiedAtStep): look for a faulty processor or memory, and go on from a checkpoint of step \(verifiedAtStep) or before"
    )
  }

  /// The ranks whose `parameters` differ from those of the majority, or from rank 0's if there is none; empty if all
  /// are the same. The same result on every rank. Collective.
  public func differingRanks(_ parameters: Buffer<Float>) throws -> [Int] {
    let size = communicator.size
    guard size > 1 else { return [] }
    let mine = fingerprint(parameters)
    for piece in 0..<Self.pieces {
      prints[communicator.rank * Self.pieces + piece] = Float(mine >> (16 * UInt64(piece)) & 0xFFFF)
    }
    try communicator.exchange(plan, from: prints, into: prints)
    if (1..<size).allSatisfy({ isSame(0, $0) }) { return [] }
    let ranks = 0..<size
    let right = ranks.first { one in 2 * ranks.count { isSame(one, $0) } > size } ?? 0
    return ranks.filter { !isSame(right, $0) }
  }

  private func isSame(_ one: Int, _ other: Int) -> Bool {
    (0..<Self.pieces).allSatisfy { prints[one * Self.pieces + $0] == prints[other * Self.pieces + $0] }
  }
}
