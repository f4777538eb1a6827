import Datasets
import NeuralNetworks
import Privacy
import Steps
import Tensors

/// The private part of a run's plan: the batches it draws, and the account.
struct PrivacyPlan: Sendable {
  let settings: PrivateTraining
  /// The sampling and noise of a step.
  let mechanism: SubsampledGaussian
  /// The cut of an epoch's places: a batch has room for more samples than are expected, since their number is random.
  let batches: BatchPlan
  /// The samples that are drawn from.
  let samples: Int
  /// The expected samples of a batch, which the sum of gradients is divided by.
  let expectedBatch: Int
  /// The norm that a sample's gradient is clipped to.
  let clipNorm: Float

  /// The plan for `samples` samples. Throws ``TrainingError`` with 64 if the recipe does not fit it.
  init(_ settings: PrivateTraining, _ recipe: Recipe, samples: Int) throws {
    guard let clipNorm = recipe.sampleClipNorm else {
      throw TrainingError(.usage, "private training clips each sample's gradient; give \(Setting.sampleClipNorm)")
    }
    guard recipe.globalBatch <= samples else {
      throw TrainingError(
        .usage,
        "\(Setting.globalBatch) \(recipe.globalBatch) is more than the \(samples) samples that a private run draws from"
      )
    }
    guard settings.delta < 1 / Double(samples) else {
      throw TrainingError(
        .usage,
        "\(Setting.delta) \(settings.delta) protects none of \(samples) samples; give less than \(1 / Double(samples))")
    }
    (self.settings, self.samples, expectedBatch, self.clipNorm) = (settings, samples, recipe.globalBatch, clipNorm)
    let microbatch = try recipe.batches(samples: samples).microbatch
    let steps = max(1, (samples + recipe.globalBatch / 2) / recipe.globalBatch)
    let room = min(PrivateTraining.room(expected: Double(recipe.globalBatch)), samples)
    let capacity = (room + microbatch - 1) / microbatch * microbatch
    let (places, isTooLarge) = steps.multipliedReportingOverflow(by: capacity)
    guard !isTooLarge && places <= Int(UInt32.max) else {
      throw TrainingError(.usage, "\(Setting.globalBatch) \(recipe.globalBatch) makes too many places an epoch")
    }
    batches = try BatchPlan(samples: places, globalBatch: capacity, microbatch: microbatch)
    let rate = Double(recipe.globalBatch) / Double(samples)
    mechanism = try settings.mechanism(rate: rate, steps: recipe.steps(perEpoch: steps))
  }

  /// The noise of a step for parameters in `layout`, by numbers from `source`.
  func perturbation(by source: RandomSource, of layout: ParameterLayout) -> GradientPerturbation {
    GradientPerturbation(
      source, layout, standardDeviation: Double(clipNorm) * mechanism.noiseMultiplier, samples: expectedBatch)
  }

  /// The order of the samples of an epoch.
  func sampler(_ source: RandomSource) throws -> any Sampler {
    PoissonSampler(
      batches: batches, samples: samples, sampling: try PoissonSampling(rate: mechanism.sampleRate, source: source))
  }
}
