import Kernels
import NeuralNetworks
import Privacy

/// The noise of private training, and the number that the sum of gradients is divided by.
struct GradientPerturbation {
  let noise: GaussianNoise
  /// The standard deviation in the sum.
  let standardDeviation: Double
  /// The expected samples of a batch. The actual number is private.
  let samples: Int
  /// The ranges of the parameters that are learnt, without the gaps between them, which stay zero.
  private let ranges: [Range<Int>]

  /// The perturbation of parameters in `layout` that `plan` asks for, by numbers from `source`.
  init(_ plan: PrivacyPlan, _ source: RandomSource, _ layout: ParameterLayout) {
    ranges = zip(layout.parameters, layout.ranges).filter { [.weight, .bias].contains($0.0.role) }.map(\.1)
    noise = GaussianNoise(source: source)
    standardDeviation = Double(plan.clipNorm) * plan.mechanism.noiseMultiplier
    samples = plan.expectedBatch
  }

  /// Adds the noise of `step`, from 1, to those of `sums` that are in `range` and learnt. An element gets the same number whichever rank adds
  /// it.
  func add(to sums: Buffer<Float>, in range: Range<Int>, step: Int) {
    for part in ranges {
      let part = part.clamped(to: range)
      guard !part.isEmpty else { continue }
      sums[part].withMutableSpan {
        noise.add(to: &$0, standardDeviation: standardDeviation, step: UInt64(step), offset: UInt64(part.lowerBound))
      }
    }
  }
}
