import Collectives
import Tensors

/// The weights and what the optimizer keeps of each, flat blocks of the network's layout.
///
/// Every rank has its own weights: one copy for all would be fetched from another core's cache, line by line, by the kernels of the
/// next step. Where each rank steps a slice of the weights, it has the moments of that slice alone (ZeRO stage 1, Rajbhandari et al.
/// 2020), and where all share memory, the others can look at them: each slice in its owner's part of that memory, for in one block of
/// all slices stores were several times slower between cores that share no cache (docs/architecture.md). Else every rank has all.
struct RunMemory {
  let parameters: Buffer<Float>
  let firstMoment: Buffer<Float>
  let secondMoment: Buffer<Float>
  /// The parameters whose moments these are: all, or this rank's slice.
  let kept: Range<Int>
  /// Whether they are this rank's slice.
  let isSharded: Bool
  /// Where all ranks share memory: first and second moments of each rank's slice.
  let shown: [[Buffer<Float>]]?
  /// The bytes of the moments that are here.
  var momentBytes: Int { 2 * kept.count * MemoryLayout<Float>.stride }

  /// Blocks of `count` zeros. Collective.
  ///
  /// - Parameter slices: the parameters that each rank steps, where each steps a slice.
  init(
    count: Int, slices: [Range<Int>], communicator: any Communicator, sharesMemory: Bool, shardsOptimizer: Bool
  ) throws(CommunicationError) {
    parameters = Buffer(count: count)
    let rank = communicator.rank
    let isShared = sharesMemory && communicator.size > 1 && communicator.hosts.ranks.count == 1
    isSharded = isShared || shardsOptimizer && communicator.size > 1
    kept = isSharded ? slices[rank] : 0..<count
    /// Both begin at a cache line.
    func moments(_ count: Int, in buffer: Buffer<Float>) -> [Buffer<Float>] {
      [buffer.prefix(count), buffer[buffer.count - count..<buffer.count]]
    }
    let room = (kept.count + 15) / 16 * 16 + kept.count
    shown =
      isShared
      ? try zip(slices, communicator.sharedBuffers(count: room)).map { moments($0.count, in: $1) } : nil
    let mine = shown?[rank] ?? moments(kept.count, in: Buffer(count: room))
    (firstMoment, secondMoment) = (mine[0], mine[1])
  }
}
