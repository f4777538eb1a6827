import Kernels
import NeuralNetworks
import Privacy

/// Gaussian noise for the learnt parameters of a block.
package struct ParameterNoise {
  private let noise: GaussianNoise
  /// The ranges of those parameters, without the gaps between them, which stay zero.
  private let ranges: [Range<Int>]

  /// Noise for parameters in `layout`, by numbers from `source`.
  package init(_ source: RandomSource, _ layout: ParameterLayout) {
    noise = GaussianNoise(source: source)
    ranges = zip(layout.parameters, layout.ranges).filter { [.weight, .bias].contains($0.0.role) }.map(\.1)
  }

  /// Adds the noise of `step`, from 1, to those of `values` that are in `range`. An element gets the same number whichever rank adds it.
  package func add(to values: Buffer<Float>, in range: Range<Int>, standardDeviation: Double, step: Int) {
    for part in ranges {
      let part = part.clamped(to: range)
      guard !part.isEmpty else { continue }
      values[part].withMutableSpan {
        noise.add(to: &$0, standardDeviation: standardDeviation, step: UInt64(step), offset: UInt64(part.lowerBound))
      }
    }
  }
}
