import Collectives
import Optimizers
import Steps
import Tensors

/// The weights, a flat block in the network's layout, and the optimizer's state of those that this rank steps.
///
/// Every rank has its own weights, because the kernels of the next step would fetch a common copy line by line from
/// another core's cache. If each rank steps a slice and all share memory, the others can read its state. Each slice
/// lies in its owner's part of that memory: in one block of all slices, stores were several times slower between cores
/// that share no cache (docs/architecture.md).
struct RunMemory {
  let parameters: Buffer<Float>
  let state: OptimizerState
  /// The moments of each rank's slice if every rank can read them; else nil.
  let shown: [[Buffer<Float>]]?
  /// The bytes of this rank's state.
  var momentBytes: Int { state.moments.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.stride } }

  /// `count` parameters, and for each a moment under each of `names`, all zero. Collective.
  init(count: Int, names: [String], division: StepDivision, communicator: any Communicator) throws {
    parameters = Buffer(count: count)
    let kept = division.parts[communicator.rank]
    guard division.isShown && !names.isEmpty else {
      state = OptimizerState(names, of: kept)
      shown = division.isShown ? division.parts.map { _ in [] } : nil
      return
    }
    /// The places of the moments of `count` parameters in their owner's memory; each begins at a cache line.
    func places(_ count: Int) -> [Range<Int>] {
      let stride = (count + 15) / 16 * 16
      return names.indices.map { $0 * stride..<$0 * stride + count }
    }
    let blocks = try communicator.sharedBuffers(count: places(kept.count).last?.upperBound ?? 0)
    let shown = zip(division.parts, blocks).map { part, block in places(part.count).map { block[$0] } }
    self.shown = shown
    state = OptimizerState(zip(names, shown[communicator.rank]).map { ($0, $1) }, of: kept)
  }
}
