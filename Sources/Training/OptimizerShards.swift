import Collectives
import Optimizers
import Tensors

/// What the optimizer keeps between steps, where each rank has a slice of it alone: whole on rank 0 for as long as a checkpoint is read
/// or written.
struct OptimizerShards {
  /// One moment, as the checkpoint names it.
  typealias Moment = (name: String, values: Buffer<Float>)

  private let optimizer: any Optimizer
  private let communicator: any Communicator
  private let slices: [Range<Int>]
  private let shown: [[Buffer<Float>]]?

  /// Of `optimizer`, whose state is that of the parameters in this rank's one of `slices`; `shown` are all ranks' states, where they
  /// share memory.
  init(_ optimizer: any Optimizer, slices: [Range<Int>], shown: [[Buffer<Float>]]?, communicator: any Communicator) {
    self.optimizer = optimizer
    self.slices = slices
    self.shown = shown
    self.communicator = communicator
  }

  /// Whether ``gather()`` takes messages; else rank 0 can do it while the others wait for their next reduction, or work for it.
  var isGatheredByMessages: Bool { shown == nil }

  /// Room for all of the state, zeroed, on rank 0; nothing on the others.
  func makeWhole() -> [Moment] {
    guard communicator.rank == 0 else { return [] }
    return optimizer.state.map { ($0.name, Buffer(count: slices.last?.upperBound ?? 0)) }
  }

  /// All of the state on rank 0; nothing on the others. Collective where it ``isGatheredByMessages``.
  func gather() throws(CommunicationError) -> [Moment] {
    let whole = makeWhole()
    if let shown {
      for (index, moment) in whole.enumerated() {
        for (slice, state) in zip(slices, shown) { moment.values[slice].copy(from: state[index]) }
      }
      return whole
    }
    for (index, moment) in optimizer.state.enumerated() {
      let all = communicator.rank == 0 ? whole[index].values : Buffer(count: 0)
      if communicator.rank == 0 { all[slices[0]].copy(from: moment.values) }
      let (toFirst, atFirst) = transfers
      let plan = ExchangePlan(sends: toFirst, receives: atFirst)
      try communicator.exchange(plan, from: moment.values, into: all)
    }
    return whole
  }

  /// Gives each rank its slice of `whole`, which is on rank 0. Collective.
  func scatter(_ whole: [Moment]) throws(CommunicationError) {
    for (index, moment) in optimizer.state.enumerated() {
      let all = communicator.rank == 0 ? whole[index].values : Buffer(count: 0)
      if communicator.rank == 0 { moment.values.copy(from: all[slices[0]]) }
      let (toFirst, atFirst) = transfers
      let plan = ExchangePlan(sends: atFirst, receives: toFirst)
      try communicator.exchange(plan, from: all, into: moment.values)
    }
  }

  /// What passes between rank 0 and the others: on those, their slice; there, each where it belongs.
  private var transfers: (toFirst: [ExchangePlan.Transfer], atFirst: [ExchangePlan.Transfer]) {
    guard communicator.rank == 0 else {
      let mine = slices[communicator.rank]
      return (mine.isEmpty ? [] : [.init(peer: 0, range: 0..<mine.count)], [])
    }
    return ([], slices.enumerated().dropFirst().filter { !$1.isEmpty }.map { .init(peer: $0, range: $1) })
  }
}
