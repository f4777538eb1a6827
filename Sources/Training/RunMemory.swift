import Collectives
import Tensors

/// The weights and what the optimizer keeps of each, flat blocks of the network's layout.
///
/// Where ranks share memory there is one copy for all of them: each rank steps a slice of it. Else every rank has its own.
struct RunMemory {
  let parameters: Buffer<Float>
  let firstMoment: Buffer<Float>
  let secondMoment: Buffer<Float>

  /// Blocks of `count` zeros. Collective.
  init(count: Int, communicator: any Communicator, sharesMemory: Bool) throws(CommunicationError) {
    let isFirst = communicator.rank == 0
    let shared = sharesMemory ? try communicator.sharedBuffers(count: isFirst ? 3 * count : 0) : nil
    let whole = shared?[0] ?? Buffer(count: 3 * count)
    parameters = whole[0..<count]
    firstMoment = whole[count..<2 * count]
    secondMoment = whole[2 * count..<3 * count]
  }
}
