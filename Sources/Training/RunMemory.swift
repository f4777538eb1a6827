import Collectives
import Tensors

/// The weights and what the optimizer keeps of each, flat blocks of the network's layout.
///
/// Every rank has its own weights: one copy for all would be fetched from another core's cache, line by line, by the kernels of the
/// next step. Where ranks share memory there is one copy of the moments, of which each rank steps a slice.
struct RunMemory {
  let parameters: Buffer<Float>
  let firstMoment: Buffer<Float>
  let secondMoment: Buffer<Float>

  /// Blocks of `count` zeros. Collective.
  init(count: Int, communicator: any Communicator, sharesMemory: Bool) throws(CommunicationError) {
    parameters = Buffer(count: count)
    let isFirst = communicator.rank == 0
    let shared = sharesMemory ? try communicator.sharedBuffers(count: isFirst ? 2 * count : 0) : nil
    let moments = shared?[0] ?? Buffer(count: 2 * count)
    firstMoment = moments[0..<count]
    secondMoment = moments[count..<2 * count]
  }
}
