import NeuralNetworks
import Privacy
import Tensors

/// The noise of private training, and the number that the sum of gradients is divided by.
package struct GradientPerturbation {
  private let noise: ParameterNoise
  /// The standard deviation in the sum.
  private let standardDeviation: Double
  /// The expected samples of a batch. The actual number is private.
  let samples: Int

  /// Noise for parameters in `layout`, by numbers from `source`.
  ///
  /// - Parameter samples: the expected samples of a batch.
  package init(_ source: RandomSource, _ layout: ParameterLayout, standardDeviation: Double, samples: Int) {
    noise = ParameterNoise(source, layout)
    self.standardDeviation = standardDeviation
    self.samples = samples
  }

  /// Adds the noise of `step`, from 1, to those of `sums` that are in `range` and learnt.
  func add(to sums: Buffer<Float>, in range: Range<Int>, step: Int) {
    noise.add(to: sums, in: range, standardDeviation: standardDeviation, step: step)
  }
}
