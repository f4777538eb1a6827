import Kernels
import NeuralNetworks
import Privacy
import Steps
import Tensors
import Training

/// The noise of a private round: in the sum of the updates and, where the clip follows a quantile, in the number of those that were not
/// clipped. Both together cost what the account says of its noise multiplier z (Andrew et al. 2021, theorem 1):
///
///     z⁻² = (noise of the updates / C)⁻² + (2 · noise of the count)⁻²
struct UpdateNoise {
  /// The standard deviation in the sum of the updates, in units of the clip.
  let updateMultiplier: Double
  /// The standard deviation in the number of updates that were not clipped; 0 if nobody asks for that number.
  let countDeviation: Double

  /// The noise of a run of `recipe` that costs what `mechanism` does; nil if updates are not clipped.
  init?(_ recipe: FederatedRecipe, _ mechanism: SubsampledGaussian) {
    let multiplier = mechanism.noiseMultiplier
    switch recipe.updateClip {
    case nil: return nil
    case .fixed: (updateMultiplier, countDeviation) = (multiplier, 0)
    case .adaptive(_, _, _, let countNoise):
      countDeviation = countNoise ?? recipe.clientFraction * Double(recipe.clients) / 20
      let rest = 1 / (multiplier * multiplier) - 1 / (4 * countDeviation * countDeviation)
      updateMultiplier = rest > 0 ? 1 / rest.squareRoot() : 0
    }
  }

  /// Adds the noise of `round`, from 1, to the learnt parameters in the mean of updates: to their sum, that is, divided by `divisor`.
  ///
  /// - Parameter sensitivity: the largest norm of an update as it was added up.
  func add(
    to mean: Buffer<Float>, _ layout: ParameterLayout, sensitivity: Double, divisor: Double, round: Int,
    _ source: RandomSource
  ) {
    ParameterNoise(source, layout).add(
      to: mean, in: 0..<mean.count, standardDeviation: updateMultiplier * sensitivity / divisor, step: round)
  }

  /// The part of the updates that was not clipped, with noise. Each counts as ±½, which halves what one client can change.
  ///
  /// - Parameters:
  ///   - within: the number of such updates.
  ///   - updates: the number of all.
  ///   - expected: the expected number, which takes the place of the number of all.
  func part(
    within: Int, of updates: Int, expected: Double, _ layout: ParameterLayout, round: Int, _ source: RandomSource
  ) -> Double {
    var sum = [Float(within) - Float(updates) / 2]
    // Behind the elements of the updates.
    GaussianNoise(source: source).add(
      to: &sum, standardDeviation: countDeviation, step: UInt64(round), offset: UInt64(layout.count) + 16)
    return Double(sum[0]) / expected + 0.5
  }
}
