import ArgumentParser
import Lockstep

/// The clipping of clients' updates, and differential privacy for clients.
struct ClientPrivacyOptions: ParsableArguments {
  @Option(
    help:
      "Scales a client's update down to this norm where its own is larger; with --clip-quantile, in the first round.")
  var updateClip: Float?

  @Option(help: "Lets that norm follow this quantile of the updates' norms, such as 0.5, from --update-clip (0.1) on.")
  var clipQuantile: Float?

  @Option(help: "--clip-quantile: how fast the norm follows. (default: 0.2)")
  var clipRate: Float?

  @Option(
    help: """
      --private with --clip-quantile: the standard deviation of the noise in the number of updates that are not clipped. (default: a \
      twentieth of the clients of a round)
      """)
  var countNoise: Double?

  @Flag(
    name: .customLong("private"),
    help: """
      Trains with differential privacy for clients: each is in a round with probability --client-fraction, its update is clipped, and noise \
      is added to their sum. Give --epsilon or --noise-multiplier, and --update-clip or --clip-quantile.
      """)
  var isPrivate = false

  @Option(help: "--private: the most that the whole run may spend; the noise follows from it.")
  var epsilon: Double?

  @Option(help: "--private: the noise's standard deviation in units of the clip.")
  var noiseMultiplier: Double?

  @Option(help: "--private: the delta that epsilon is told for.")
  var delta = 1e-5

  @Option(help: "--private: the way from Rényi differential privacy to epsilon.")
  var conversion = RDPAccountant.Conversion.improved

  func validate() throws {
    for (flag, isGiven) in [("--clip-rate", clipRate != nil), ("--count-noise", countNoise != nil)] {
      if isGiven && clipQuantile == nil { throw ValidationError("\(flag) needs --clip-quantile") }
    }
    guard isPrivate else {
      if epsilon != nil || noiseMultiplier != nil || countNoise != nil {
        throw ValidationError(
          "\(Setting.epsilon), \(Setting.noiseMultiplier) and \(Setting.countNoise) are for private training; give --private as well"
        )
      }
      return
    }
    guard (epsilon == nil) != (noiseMultiplier == nil) else {
      throw ValidationError("--private needs either \(Setting.epsilon) or \(Setting.noiseMultiplier)")
    }
  }

  /// Clips updates and makes `recipe` private as these options ask. `seed` is nil if none is given: then noise and choice are secret.
  func apply(to recipe: inout FederatedRecipe, seed: UInt64?) {
    if let clipQuantile {
      recipe.updateClip = .adaptive(
        initial: updateClip ?? 0.1, quantile: clipQuantile, rate: clipRate ?? 0.2, countNoise: countNoise)
    } else {
      recipe.updateClip = updateClip.map { .fixed($0) }
    }
    guard isPrivate else { return }
    var privacy = PrivateTraining(epsilon.map { .epsilon($0) } ?? .noiseMultiplier(noiseMultiplier ?? 0))
    privacy.delta = delta
    privacy.conversion = conversion
    privacy.isRepeatable = seed != nil
    recipe.privacy = privacy
  }
}
