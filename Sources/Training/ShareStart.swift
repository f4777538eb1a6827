import Checkpoints
import Collectives

/// Gives every rank the weights and moments of rank 0. Returns the place that the run goes on from; nil if it starts
/// anew. Collective.
func shareStart(
  _ restored: RunState?, seed: UInt64, _ content: CheckpointContent, _ shards: OptimizerShards?,
  among communicator: any Communicator
) throws -> RunState? {
  let words =
    restored.map { state -> [UInt64] in
      [UInt64(state.epoch), UInt64(state.sampleOffset), UInt64(state.step), state.sums.loss.bitPattern]
        + [UInt64(state.sums.correct), UInt64(state.sums.samples), UInt64(state.sums.skippedSteps)]
        + (state.best.map { [$0.loss.bitPattern, UInt64($0.epoch), UInt64($0.step)] } ?? [])
    } ?? []
  return try communicating {
    let shared = try communicator.gather(words: words)[0]
    try communicator.broadcast(content.parameters, from: 0)
    if let shards {
      try shards.scatter(content.moments)
    } else {
      for (_, values) in content.moments { try communicator.broadcast(values, from: 0) }
    }
    guard shared.count >= 7 else { return nil }
    var state = RunState(epoch: Int(shared[0]), sampleOffset: Int(shared[1]), step: Int(shared[2]), seed: seed)
    state.sums = EpochSums(
      loss: Double(bitPattern: shared[3]), correct: Int(shared[4]), samples: Int(shared[5]),
      skippedSteps: Int(shared[6]))
    if shared.count == 10 {
      state.best = BestEpoch(loss: Double(bitPattern: shared[7]), epoch: Int(shared[8]), step: Int(shared[9]))
    }
    return state
  }
}
