import NeuralNetworks
import Privacy
import Tensors

/// The noise of private training, and the number that the sum of gradients is divided by.
struct GradientPerturbation {
  private let noise: ParameterNoise
  /// The standard deviation in the sum.
  private let standardDeviation: Double
  /// The expected samples of a batch. The actual number is private.
  let samples: Int

  /// The perturbation of parameters in `layout` that `plan` asks for, by numbers from `source`.
  init(_ plan: PrivacyPlan, _ source: RandomSource, _ layout: ParameterLayout) {
    noise = ParameterNoise(source, layout)
    standardDeviation = Double(plan.clipNorm) * plan.mechanism.noiseMultiplier
    samples = plan.expectedBatch
  }

  /// Adds the noise of `step`, from 1, to those of `sums` that are in `range` and learnt.
  func add(to sums: Buffer<Float>, in range: Range<Int>, step: Int) {
    noise.add(to: sums, in: range, standardDeviation: standardDeviation, step: step)
  }
}
