/// The search of the noise that a privacy target needs.
public enum NoiseSearch {
  /// The largest noise multiplier that is tried, as in Opacus.
  public static let largestNoise = 1e6

  /// The smallest noise multiplier with which `steps` steps (at least 0) at `sampleRate` cost at most `epsilon` at
  /// `delta`, by an ``RDPAccountant`` of its standard orders; to `tolerance` of itself, and never below. 0 if the steps
  /// touch no data.
  ///
  /// By bisection, as ε falls with the noise: some fifty evaluations. The last digits may depend on the C library, so
  /// one rank should search and tell the others.
  ///
  /// Throws if `epsilon` is not above 0, `delta` not between 0 and 1, `sampleRate` not from 0 to 1, or if ε is still
  /// larger with a multiplier of ``largestNoise``. Some ε remains however large the noise, since the orders end.
  public static func noiseMultiplier(
    epsilon target: Double, delta: Double, sampleRate: Double, steps: Int,
    conversion: RDPAccountant.Conversion = .improved, tolerance: Double = 1e-9
  ) throws(PrivacyError) -> Double {
    guard target > 0 else { throw PrivacyError("epsilon \(target) is not above 0") }
    precondition(steps >= 0 && tolerance > 0, "\(steps) steps, a tolerance of \(tolerance)")
    func epsilon(_ noise: Double) throws(PrivacyError) -> Double {
      let mechanism = try SubsampledGaussian(sampleRate: sampleRate, noiseMultiplier: noise)
      return try RDPAccountant(PrivacyLedger(mechanism, steps: steps))
        .epsilon(delta: delta, conversion: conversion).epsilon
    }
    if try epsilon(0) <= target { return 0 }
    // ε is above the target at `low`, and not above it at `high`.
    var (low, high) = (0.0, 1.0)
    while try epsilon(high) > target {
      (low, high) = (high, 2 * high)
      if low >= largestNoise {
        throw PrivacyError(
          "epsilon \(target) at delta \(delta) cannot be reached in \(steps) steps at sample rate \(sampleRate): "
            + "a noise multiplier of \(low) still costs \(try epsilon(low)); take fewer steps, a larger delta or a "
            + "larger epsilon")
      }
    }
    while high - low > tolerance * high {
      let middle = low + (high - low) / 2
      guard middle > low && middle < high else { break }
      if try epsilon(middle) > target { low = middle } else { high = middle }
    }
    return high
  }
}
