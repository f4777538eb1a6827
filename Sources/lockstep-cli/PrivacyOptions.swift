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

  @OptionGroup var noise: NoiseOptions

  func validate() throws { try noise.check(isPrivate: isPrivate) }

  /// Makes `recipe` private if these options ask for it. `seed` is nil if none is given: then noise and choice are secret.
  func apply(to recipe: inout Recipe, seed: UInt64?) {
    guard isPrivate else { return }
    recipe.privacy = noise.training(seed: seed)
    recipe.sampleClipNorm = recipe.sampleClipNorm ?? 1
  }
}
