import ArgumentParser
import Lockstep

/// Training with differential privacy.
struct PrivacyOptions: ParsableArguments {
  @Flag(
    name: .customLong("private"),
    help: """
      Trains with differential privacy: batches drawn anew, each sample's gradient clipped (--sample-clip-norm, 1), and noise \
      added to their sum. Give --epsilon or --noise-multiplier.
      """)
  var isPrivate = false

  @Option(help: "--private: the most that the whole run may spend; the noise follows from it.")
  var epsilon: Double?

  @Option(help: "--private: the noise's standard deviation in units of the clipping norm.")
  var noiseMultiplier: Double?

  @Option(help: "--private: the delta that epsilon is told for.")
  var delta = 1e-5

  @Option(help: "--private: the way from Rényi differential privacy to epsilon.")
  var conversion = RDPAccountant.Conversion.improved

  func validate() throws {
    guard isPrivate else {
      if epsilon != nil || noiseMultiplier != nil {
        throw ValidationError(
          "\(Setting.epsilon) and \(Setting.noiseMultiplier) are for private training; give --private as well")
      }
      return
    }
    guard (epsilon == nil) != (noiseMultiplier == nil) else {
      throw ValidationError("--private needs either \(Setting.epsilon) or \(Setting.noiseMultiplier)")
    }
  }

  /// Makes `recipe` private if these options ask for it. `seed` is nil if none is given: then noise and choice are secret.
  func apply(to recipe: inout Recipe, seed: UInt64?) {
    guard isPrivate else { return }
    var privacy = PrivateTraining(
      epsilon.map { .epsilon($0) } ?? .noiseMultiplier(noiseMultiplier ?? 0))
    privacy.delta = delta
    privacy.conversion = conversion
    privacy.isRepeatable = seed != nil
    recipe.privacy = privacy
    recipe.sampleClipNorm = recipe.sampleClipNorm ?? 1
  }
}

extension RDPAccountant.Conversion: ExpressibleByArgument {}
