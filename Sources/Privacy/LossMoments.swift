import Glibc

/// The exponential moments of the loss of all steps of one direction, K(λ) = ln E[exp(λ·loss)]. They bound the tails of
/// the loss (Chernoff) before anything is convolved.
struct LossMoments {
  private struct Kind {
    let steps: Double
    /// Points that stand for the outcomes of one step: their losses and the logarithms of their probabilities.
    var losses: [Double] = []
    var logWeights: [Double] = []
  }

  private var kinds: [Kind] = []

  init(_ losses: [(loss: PrivacyLoss, steps: Int)]) {
    for (loss, steps) in losses {
      var kind = Kind(steps: Double(steps))
      for range in loss.outcomes {
        let length = range.upperBound - range.lowerBound
        let panels = (length * 10).rounded(.up)
        let half = length / panels / 2
        for panel in 0..<Int(panels) {
          let middle = range.lowerBound + Double(2 * panel + 1) * half
          for (node, weight) in GaussLegendre.five {
            let t = middle + half * node
            let ratio = loss.ratio(at: t)
            kind.losses.append(loss.loss(ofRatio: ratio))
            kind.logWeights.append(loss.logDensity(at: t, ratio: ratio) + log(weight * half))
          }
        }
      }
      kinds.append(kind)
    }
  }

  /// K(λ).
  func logMoment(_ lambda: Double) -> Double {
    kinds.reduce(0) { sum, kind in
      var largest = -Double.infinity
      for i in kind.losses.indices { largest = max(largest, lambda * kind.losses[i] + kind.logWeights[i]) }
      var total = 0.0
      for i in kind.losses.indices { total += exp(lambda * kind.losses[i] + kind.logWeights[i] - largest) }
      return sum + kind.steps * (largest + log(total))
    }
  }

  /// The λ that makes Chernoff's bound of ε at `delta` smallest, and that bound:
  ///
  ///     ε ≤ (K(λ) − ln δ)/λ,   as   δ(ε) ≤ P(loss > ε) ≤ exp(K(λ) − λε)
  func bound(delta: Double) -> (lambda: Double, epsilon: Double) {
    var best = (lambda: 1.0, epsilon: Double.infinity)
    for lambda in Self.lambdas {
      let epsilon = (logMoment(lambda) - log(delta)) / lambda
      if epsilon < best.epsilon { best = (lambda, epsilon) }
    }
    return best
  }

  /// A range that the loss leaves with a probability of at most `mass` on either side, if outcomes are weighted by
  /// exp(λ·loss).
  func range(lambda: Double, mass: Double) -> ClosedRange<Double> {
    let center = logMoment(lambda)
    var (lower, upper) = (-Double.infinity, Double.infinity)
    for step in Self.lambdas {
      upper = min(upper, (logMoment(lambda + step) - center - log(mass)) / step)
      lower = max(lower, (center - logMoment(lambda - step) + log(mass)) / step)
    }
    return min(lower, upper)...upper
  }

  /// Powers of √2 from 10⁻⁶ to 10⁶.
  private static let lambdas = (-40...40).map { exp2(Double($0) / 2) }
}
