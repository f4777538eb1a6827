import Collectives
import Datasets
import Privacy
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
    let microbatch = try BatchPlan(
      samples: samples, globalBatch: recipe.globalBatch, microbatch: recipe.microbatch
    ).microbatch
    let steps = max(1, (samples + recipe.globalBatch / 2) / recipe.globalBatch)
    let room = min(Self.room(expected: recipe.globalBatch), samples)
    let capacity = (room + microbatch - 1) / microbatch * microbatch
    let (places, isTooLarge) = steps.multipliedReportingOverflow(by: capacity)
    guard !isTooLarge && places <= Int(UInt32.max) else {
      throw TrainingError(.usage, "\(Setting.globalBatch) \(recipe.globalBatch) makes too many places an epoch")
    }
    batches = try BatchPlan(samples: places, globalBatch: capacity, microbatch: microbatch)
    let rate = Double(recipe.globalBatch) / Double(samples)
    do {
      let multiplier =
        switch settings.amount {
        case .noiseMultiplier(let multiplier): multiplier
        case .epsilon(let epsilon):
          // Upwards to four digits: what the C library's last bits decide would differ between ranks.
          (try NoiseSearch.noiseMultiplier(
            epsilon: epsilon, delta: settings.delta, sampleRate: rate, steps: recipe.steps(perEpoch: steps),
            conversion: settings.conversion) * 1e4).rounded(.up) / 1e4
        }
      mechanism = try SubsampledGaussian(sampleRate: rate, noiseMultiplier: multiplier)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  /// A size that a batch of this expected size exceeds with a probability below 10⁻²⁰, by Bernstein's inequality.
  static func room(expected: Int) -> Int { expected + Int((10 * Double(expected).squareRoot()).rounded(.up)) + 40 }

  /// The order of the samples of an epoch.
  func sampler(_ source: RandomSource) throws -> any Sampler {
    PoissonSampler(
      batches: batches, samples: samples, sampling: try PoissonSampling(rate: mechanism.sampleRate, source: source))
  }

  /// The origin of the choices and the noise, the same on every rank: the run's seed or a key that rank 0 has drawn, which is kept
  /// nowhere. A run that goes on draws a new one. Collective.
  func agreedSource(seed: UInt64, _ communicator: any Communicator) throws -> RandomSource {
    guard !settings.isRepeatable else { return .reproducible(seed: seed) }
    let words = communicator.rank == 0 ? SecretKey().words.map(UInt64.init) : []
    let key = try communicating { try communicator.gather(words: words)[0] }
    return .secret(SecretKey(words: key.map { UInt32(truncatingIfNeeded: $0) }))
  }
}
