import Kernels
import NeuralNetworks
import Tensors

/// The parameters of a layout that are running averages, and their step:
///
///     average ← (1 − m) · average + m · sum / samples            m = 0.1, PyTorch's default
///
/// No optimizer steps them; they do not decay, and are not in the norm that is clipped.
public struct RunningAverages: Sendable {
  private static let momentum: Float = 0.1
  private let ranges: [Range<Int>]

  /// The averages of `layout`.
  public init(of layout: ParameterLayout) { ranges = layout.ranges(of: [.average]) }

  /// Whether there are none.
  public var isEmpty: Bool { ranges.isEmpty }

  /// Moves the averages in `range` of `parameters`, the flat block of the whole layout.
  ///
  /// - Parameters:
  ///   - sums: a block of the same layout, with a sum over samples in the place of each average.
  ///   - samples: the number of samples that were summed over, all of the batch.
  public func move(_ parameters: Buffer<Float>, by sums: Buffer<Float>, in range: Range<Int>, samples: Int) {
    for run in ranges where run.overlaps(range) {
      let part = run.clamped(to: range)
      scale(parameters[part], by: 1 - Self.momentum)
      subtract(sums[part], times: -Self.momentum / Float(samples), from: parameters[part])
    }
  }
}
