import Collectives
import Privacy
import Tensors

/// Training with differential privacy (DP-SGD, Abadi et al. 2016): what becomes known of the weights tells little of any one sample.
///
/// A step's batch is drawn anew, each sample with the same probability (Poisson sampling). Each sample's gradient is scaled down to a norm of
/// at most C, ``Recipe/sampleClipNorm``; Gaussian noise of standard deviation C times the noise multiplier is added to their sum, once, and
/// the sum divided by the expected size of a batch, ``Recipe/globalBatch``. Any optimizer goes on from there.
///
/// The guarantee is for the weights: (ε, δ) under the adding or leaving out of one sample. It does not cover the run's figures of the
/// training and validation data, which are printed and filed without noise: keep those to yourself.
public struct PrivateTraining: Hashable, Sendable {
  /// How much noise there is.
  public enum Amount: Hashable, Sendable {
    /// The noise's standard deviation, in units of the clipping norm.
    case noiseMultiplier(Double)
    /// The least noise with which the whole run spends at most this ε.
    case epsilon(Double)
  }

  /// How much noise there is.
  public var amount: Amount
  /// The δ that ε is told for. It must be below one part in the number of samples.
  public var delta = 1e-5
  /// The way from Rényi differential privacy to ε.
  public var conversion = RDPAccountant.Conversion.improved
  /// Whether the noise and the choice of samples follow from ``Recipe/seed``, so that the run can be done again, to the bit: then they hide
  /// nothing from someone who knows the seed. Else they follow from a secret key that no file holds.
  public var isRepeatable = false

  /// Private training with this much noise.
  public init(_ amount: Amount) { self.amount = amount }

  /// The fault in these values, in one line; nil if there is none.
  package var fault: String? {
    guard delta > 0 && delta < 1 else { return "\(Setting.delta) \(delta) is not between 0 and 1" }
    switch amount {
    case .noiseMultiplier(let multiplier):
      return multiplier > 0 && multiplier <= NoiseSearch.largestNoise
        ? nil : "\(Setting.noiseMultiplier) \(multiplier) is not above 0 and at most \(NoiseSearch.largestNoise)"
    case .epsilon(let epsilon):
      return epsilon > 0 && epsilon.isFinite ? nil : "\(Setting.epsilon) \(epsilon) is not a positive number"
    }
  }
}

// The same for samples in batches and for clients in rounds: each takes part in a step with one probability, the rate.
extension PrivateTraining {
  /// The sampling and noise of `steps` steps. Throws ``TrainingError`` with 64 if no noise is enough.
  package func mechanism(rate: Double, steps: Int) throws -> SubsampledGaussian {
    do {
      let multiplier =
        switch amount {
        case .noiseMultiplier(let multiplier): multiplier
        case .epsilon(let epsilon):
          // Upwards to four digits: what the C library's last bits decide would differ between ranks.
          (try NoiseSearch.noiseMultiplier(
            epsilon: epsilon, delta: delta, sampleRate: rate, steps: steps, conversion: conversion) * 1e4)
            .rounded(.up) / 1e4
        }
      return try SubsampledGaussian(sampleRate: rate, noiseMultiplier: multiplier)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  /// The lines of a checkpoint's recipe that tell `mechanism`, by which the account is taken up again.
  package func settings(_ mechanism: SubsampledGaussian) -> [(key: String, value: String)] {
    [
      ("private_noise", "\(mechanism.noiseMultiplier)"), ("private_rate", "\(mechanism.sampleRate)"),
      ("private_source", isRepeatable ? "seed" : "secret"),
    ]
  }

  /// The number that those who take part in a step, `expected` on average, exceed with a probability below 10⁻²⁰, by Bernstein's inequality.
  package static func room(expected: Double) -> Int { Int((expected + 10 * expected.squareRoot()).rounded(.up)) + 40 }

  /// The origin of the choices and the noise, the same on every rank: the run's seed or a key that rank 0 has drawn, which is kept
  /// nowhere. A run that goes on draws a new one. Collective.
  package func agreedSource(seed: UInt64, _ communicator: any Communicator) throws -> RandomSource {
    guard !isRepeatable else { return .reproducible(seed: seed) }
    let words = communicator.rank == 0 ? SecretKey().words.map(UInt64.init) : []
    let key = try communicating { try communicator.gather(words: words)[0] }
    return .secret(SecretKey(words: key.map { UInt32(truncatingIfNeeded: $0) }))
  }

  /// What `ledger` has cost, whose last steps were of `mechanism`.
  package func spent(_ ledger: PrivacyLedger, _ mechanism: SubsampledGaussian) throws -> PrivacySpent {
    do {
      return PrivacySpent(
        epsilon: try RDPAccountant(ledger).epsilon(delta: delta, conversion: conversion).epsilon, delta: delta,
        conversion: conversion.rawValue, noiseMultiplier: mechanism.noiseMultiplier, sampleRate: mechanism.sampleRate,
        steps: ledger.steps, isSecret: !isRepeatable)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }
}
