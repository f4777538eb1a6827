import Collectives
import Tensors

/// The weights and what the optimizer keeps of each, flat blocks of the network's layout.
///
/// Every rank has its own weights: one copy for all would be fetched from another core's cache, line by line, by the kernels of the
/// next step. Of the moments there is one copy where all ranks share memory, and each rank steps a slice of it; else every rank has
/// all of them, or its slice alone (ZeRO stage 1, Rajbhandari et al. 2020).
struct RunMemory {
  let parameters: Buffer<Float>
  let firstMoment: Buffer<Float>
  let secondMoment: Buffer<Float>
  /// The parameters whose moments these are: all, or this rank's slice.
  let kept: Range<Int>
  /// Whether they are this rank's slice.
  let isSharded: Bool
  /// The bytes of moments that are here for this rank: of a copy that all ranks share, its part.
  let momentBytes: Int

  /// Blocks of `count` zeros. Collective.
  ///
  /// - Parameter slice: the parameters that this rank steps.
  init(
    count: Int, slice: Range<Int>, communicator: any Communicator, sharesMemory: Bool, shardsOptimizer: Bool
  ) throws(CommunicationError) {
    parameters = Buffer(count: count)
    let isShared = sharesMemory && communicator.size > 1 && communicator.hosts.ranks.count == 1
    isSharded = shardsOptimizer && communicator.size > 1 && !isShared
    kept = isSharded ? slice : 0..<count
    let moments =
      isShared
      ? try communicator.sharedBuffers(count: communicator.rank == 0 ? 2 * count : 0)[0] : Buffer(count: 2 * kept.count)
    firstMoment = moments[0..<kept.count]
    secondMoment = moments[kept.count..<2 * kept.count]
    momentBytes = 2 * (isShared ? slice.count : kept.count) * MemoryLayout<Float>.stride
  }
}
