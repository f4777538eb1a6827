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

  @OptionGroup var noise: NoiseOptions

  func validate() throws {
    for (flag, isGiven) in [("--clip-rate", clipRate != nil), ("--count-noise", countNoise != nil)] {
      if isGiven && clipQuantile == nil { throw ValidationError("\(flag) needs --clip-quantile") }
    }
    try noise.check(isPrivate: isPrivate, (.countNoise, countNoise != nil))
  }

  /// Clips updates and makes `recipe` private as these options ask. `seed` is nil if none is given: then noise and choice are secret.
  func apply(to recipe: inout FederatedRecipe, seed: UInt64?) {
    if let clipQuantile {
      recipe.updateClip = .adaptive(
        initial: updateClip ?? 0.1, quantile: clipQuantile, rate: clipRate ?? 0.2, countNoise: countNoise)
    } else {
      recipe.updateClip = updateClip.map { .fixed($0) }
    }
    if isPrivate { recipe.privacy = noise.training(seed: seed) }
  }
}
