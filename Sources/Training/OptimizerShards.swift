import Collectives
import Optimizers
import Steps
import Tensors

/// Optimizer state that is split over the ranks; gathered on rank 0 only while a checkpoint is read or written.
struct OptimizerShards {
  /// One moment, as the checkpoint names it.
  typealias Moment = (name: String, values: Buffer<Float>)

  private let state: OptimizerState
  private let communicator: any Communicator
  private let slices: [Range<Int>]
  private let shown: [[Buffer<Float>]]?

  /// The shards of a run with this memory; nil if every rank has all of the state.
  init?(_ memory: RunMemory, _ division: StepDivision, communicator: any Communicator) {
    guard division.isSliced else { return nil }
    state = memory.state
    slices = division.parts
    shown = memory.shown
    self.communicator = communicator
  }

  /// Whether ``gather()`` takes messages. If not, rank 0 can gather while the others wait or work.
  var isGatheredByMessages: Bool { shown == nil }

  /// Zeroed buffers for all of the state on rank 0; none on the others.
  func makeWhole() -> [Moment] {
    guard communicator.rank == 0 else { return [] }
    return state.moments.map { ($0.name, Buffer(count: slices.last?.upperBound ?? 0)) }
  }

  /// All of the state on rank 0; nothing on the others. Collective if it ``isGatheredByMessages``.
  func gather() throws -> [Moment] {
    let whole = makeWhole()
    if let shown {
      for (index, moment) in whole.enumerated() {
        for (slice, state) in zip(slices, shown) { moment.values[slice].copy(from: state[index]) }
      }
      return whole
    }
    for (index, moment) in state.moments.enumerated() {
      try collect(moment.values, into: communicator.rank == 0 ? whole[index].values : Buffer(count: 0))
    }
    return whole
  }

  /// Moment `index` of all parameters, on every rank. Collective.
  func gather(_ index: Int, into whole: Buffer<Float>) throws {
    if let shown {
      // Until all are here, a rank may still be writing its slice. None writes again before all have met once more.
      _ = try communicator.gather(words: [0])
      for (slice, state) in zip(slices, shown) { whole[slice].copy(from: state[index]) }
      return
    }
    try collect(state.moments[index].values, into: whole)
    try communicator.broadcast(whole, from: 0)
  }

  /// Puts a moment's slices, each rank's `mine`, together in `all` on rank 0. Collective.
  private func collect(_ mine: Buffer<Float>, into all: Buffer<Float>) throws {
    if communicator.rank == 0 { all[slices[0]].copy(from: mine) }
    let (toFirst, atFirst) = transfers
    let plan = ExchangePlan(sends: toFirst, receives: atFirst)
    try communicator.exchange(plan, from: mine, into: communicator.rank == 0 ? all : Buffer(count: 0))
  }

  /// Gives each rank its slice of `whole`, which is on rank 0. Collective.
  func scatter(_ whole: [Moment]) throws {
    for (index, moment) in state.moments.enumerated() {
      let all = communicator.rank == 0 ? whole[index].values : Buffer(count: 0)
      if communicator.rank == 0 { moment.values.copy(from: all[slices[0]]) }
      let (toFirst, atFirst) = transfers
      let plan = ExchangePlan(sends: atFirst, receives: toFirst)
      try communicator.exchange(plan, from: all, into: moment.values)
    }
  }

  /// The transfers between rank 0 and the others: on rank 0 a slice for each other rank, elsewhere this rank's slice.
  private var transfers: (toFirst: [ExchangePlan.Transfer], atFirst: [ExchangePlan.Transfer]) {
    guard communicator.rank == 0 else {
      let mine = slices[communicator.rank]
      return (mine.isEmpty ? [] : [.init(peer: 0, range: 0..<mine.count)], [])
    }
    return ([], slices.enumerated().dropFirst().filter { !$1.isEmpty }.map { .init(peer: $0, range: $1) })
  }
}
