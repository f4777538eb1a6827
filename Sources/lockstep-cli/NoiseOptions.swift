import ArgumentParser
import Lockstep

/// How much noise a private run has, and how its privacy is told.
struct NoiseOptions: ParsableArguments {
  @Option(help: "--private: the most that the whole run may spend; the noise follows from it.")
  var epsilon: Double?

  @Option(help: "--private: the noise's standard deviation in units of the clipping norm.")
  var noiseMultiplier: Double?

  @Option(help: "--private: the delta that epsilon is told for.")
  var delta = 1e-5

  @Option(help: "--private: the way from Rényi differential privacy to epsilon.")
  var conversion = RDPAccountant.Conversion.improved

  /// Throws unless a private run is told how much noise it has, and any other is not. `more` is a setting that is for private runs, too, and
  /// whether it is given.
  func check(isPrivate: Bool, _ more: (setting: Setting, isGiven: Bool)? = nil) throws {
    guard isPrivate else {
      guard epsilon != nil || noiseMultiplier != nil || more?.isGiven == true else { return }
      let names =
        more.map { "\(Setting.epsilon), \(Setting.noiseMultiplier) and \($0.setting)" }
        ?? "\(Setting.epsilon) and \(Setting.noiseMultiplier)"
      throw ValidationError("\(names) are for private training; give --private as well")
    }
    guard (epsilon == nil) != (noiseMultiplier == nil) else {
      throw ValidationError("--private needs either \(Setting.epsilon) or \(Setting.noiseMultiplier)")
    }
  }

  /// What these options ask for. `seed` is nil if none is given: then noise and choice are secret.
  func training(seed: UInt64?) -> PrivateTraining {
    var privacy = PrivateTraining(epsilon.map { .epsilon($0) } ?? .noiseMultiplier(noiseMultiplier ?? 0))
    (privacy.delta, privacy.conversion, privacy.isRepeatable) = (delta, conversion, seed != nil)
    return privacy
  }
}

extension RDPAccountant.Conversion: ExpressibleByArgument {}
