import Tensors

/// The norm that a client's update, its difference in weights, is scaled down to where its own is larger.
public enum UpdateClip: Sendable, Hashable, CustomStringConvertible {
  /// One norm for all rounds.
  case fixed(Float)
  /// A norm that follows a quantile of the clients' own norms (Andrew et al. 2021, arXiv 1905.03871, algorithm 1): after each round
  /// C ← C · exp(−η · (b − γ)), where b is the part of the updates that were not longer than C.
  ///
  /// - Parameters:
  ///   - initial: C in the first round.
  ///   - quantile: γ.
  ///   - rate: η.
  ///   - countNoise: in a private run, the standard deviation of the noise in the number of such updates; nil for a twentieth of the clients
  ///     of a round.
  case adaptive(initial: Float = 0.1, quantile: Float = 0.5, rate: Float = 0.2, countNoise: Double? = nil)

  /// The norm of the first round.
  var initial: Float {
    switch self {
    case .fixed(let norm): norm
    case .adaptive(let initial, _, _, _): initial
    }
  }

  /// All its constants: `fixed 1.0` or `adaptive 0.1 0.5 0.2`.
  public var description: String {
    switch self {
    case .fixed(let norm): "fixed \(norm)"
    case .adaptive(let initial, let quantile, let rate, let noise):
      "adaptive \(initial) \(quantile) \(rate)" + (noise.map { " \($0)" } ?? "")
    }
  }

  /// The fault in these values, in one line; nil if there is none.
  var fault: String? {
    guard initial > 0 && initial.isFinite else { return "\(Setting.updateClip) \(initial) is not a positive number" }
    guard initial >= 0x1p-60 && initial <= 0x1p60 else {
      return "\(Setting.updateClip) \(initial) is not from 2^-60 to 2^60"
    }
    guard case .adaptive(_, let quantile, let rate, let noise) = self else { return nil }
    if !(quantile > 0 && quantile < 1) { return "\(Setting.clipQuantile) \(quantile) is not between 0 and 1" }
    if !(rate > 0 && rate <= 10) { return "\(Setting.clipRate) \(rate) is not above 0 and at most 10" }
    if let noise, !(noise > 0 && noise.isFinite) { return "\(Setting.countNoise) \(noise) is not a positive number" }
    return nil
  }

  /// The norm of the next round, after one with norm `clip` in which the part `within` of the updates was not longer. From 2⁻⁶⁰ to 2⁶⁰.
  func next(after clip: Float, within: Double) -> Float {
    guard case .adaptive(_, let quantile, let rate, _) = self else { return clip }
    // Noise can make any number of the part.
    let exponent = max(-50, min(50, -Double(rate) * (within - Double(quantile))))
    return Float(max(0x1p-60, min(0x1p60, Double(clip) * portableExp(exponent))))
  }
}
