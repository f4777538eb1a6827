import Kernels
import Tensors

/// Adds up a layer's results for the microbatches of a pass, in the order of the tree over them. The sum has the bits
/// of their node in the reduction's tree, wherever its microbatches are worked out.
public struct MicrobatchSums {
  private let count: Int
  private let slots: Buffer<Float>

  /// Sums of `count` floats, with all buffers for them.
  public init(count: Int) {
    self.count = count
    slots = Buffer(count: count * Pass.mostMicrobatches.trailingZeroBitCount)
  }

  /// Writes or adds the sum over the microbatches of `pass` to `sum`.
  ///
  /// - Parameter add: works out the part of one microbatch from these samples of the pass, and writes it or, once
  ///   complete, adds it (``GradientBlock``).
  public func sum(
    over pass: Pass, into sum: Buffer<Float>, _ accumulation: Accumulation,
    _ add: (Range<Int>, Buffer<Float>, Accumulation) -> Void
  ) {
    let last = pass.microbatches.upperBound - 1
    guard last > 0 else { return add(pass.samples(of: 0), sum, accumulation) }
    // Nodes that wait for their sibling, the largest first.
    for index in pass.microbatches {
      var waiting = index.nonzeroBitCount
      var completed = completedNodes(index, isLast: index == last)
      if completed == 0 {
        add(pass.samples(of: index), slot(waiting), .replace)
        continue
      }
      add(pass.samples(of: index), slot(waiting - 1), .add)
      while completed > 1 {
        Kernels.add(slot(waiting - 1), into: slot(waiting - 2))
        (waiting, completed) = (waiting - 1, completed - 1)
      }
    }
    accumulate(slot(0), into: sum, accumulation)
  }

  private func slot(_ index: Int) -> Buffer<Float> { slots[index * count..<(index + 1) * count] }
}
