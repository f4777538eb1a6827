import Collectives
import Optimizers
import Tensors

/// The averages of a run's weights (``WeightAveraging``), put together on every rank for an evaluation.
final class AveragedParameters {
  private let state: OptimizerState
  /// The slices of the state; nil if every rank has all of it.
  private let shards: OptimizerShards?
  private let communicator: any Communicator
  /// The place among the optimizer's moments.
  private let index: Int
  /// All averages, if each rank has a slice; else empty.
  private let whole: Buffer<Float>

  /// The averages of `count` parameters in an optimizer's `state`; nil if it has none.
  init?(_ state: OptimizerState, count: Int, shards: OptimizerShards?, communicator: any Communicator) {
    guard let index = state.moments.firstIndex(where: { $0.name == WeightAveraging.stateName }) else { return nil }
    self.state = state
    self.shards = shards
    self.communicator = communicator
    self.index = index
    whole = Buffer(count: shards == nil ? 0 : count)
  }

  /// The averages as they are between two steps, a block of the network's layout, valid until the next call. Collective.
  func gather() throws -> Buffer<Float> {
    guard let shards else { return state.moments[index].values }
    try shards.gather(index, into: whole)
    return whole
  }
}
