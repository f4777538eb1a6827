import Collectives
import Optimizers
import Tensors

/// The weights, a flat block of the network's layout, and the optimizer's state of those that this rank steps.
///
/// Every rank has its own weights: one copy for all would be fetched from another core's cache, line by line, by the kernels of the
/// next step. Where each rank steps a slice and all share memory, the others can look at its state: each slice in its owner's part of
/// that memory, for in one block of all slices stores were several times slower between cores that share no cache
/// (docs/architecture.md).
struct RunMemory {
  let parameters: Buffer<Float>
  let state: OptimizerState
  /// The moments of each rank's slice, where every rank can look at them.
  let shown: [[Buffer<Float>]]?
  /// The bytes of the state that is here.
  var momentBytes: Int { state.moments.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.stride } }

  /// Blocks of `count` zeros, and a moment under each of `names`. Collective.
  init(count: Int, names: [String], division: StepDivision, communicator: any Communicator) throws {
    parameters = Buffer(count: count)
    let kept = division.parts[communicator.rank]
    guard division.isShown && !names.isEmpty else {
      state = OptimizerState(names, of: kept)
      shown = division.isShown ? division.parts.map { _ in [] } : nil
      return
    }
    /// Where the moments of so many parameters lie in their owner's memory: each begins at a cache line.
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
