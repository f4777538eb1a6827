/// The distribution Beta(α, α) on 0…1: its mean is ½, its variance 1 / (4·(2α + 1)).
public struct SymmetricBeta: Sendable, Hashable {
  /// α, above 0.
  public let alpha: Double

  /// The distribution with this α, above 0 and finite.
  public init(alpha: Double) {
    precondition(alpha > 0 && alpha.isFinite, "Beta(\(alpha), \(alpha))")
    self.alpha = alpha
  }

  /// The next number of the distribution, drawn from `words` by rejection: as many of them as it takes, two a trial.
  ///
  /// Up to α = 1 by Jöhnk's method, in logarithms, so that no power underflows: of two uniform numbers u, v with u^(1/α) + v^(1/α) ≤ 1, it is
  /// u^(1/α) over that sum. At least half of the trials are taken. Above 1 by Cheng's algorithm BB, of which at least two thirds are.
  /// Both are exact but for rounding, and use ``portableLog(_:)`` and ``portableExp(_:)``, so that a draw has the same bits everywhere.
  ///
  /// Sources: Jöhnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 8, 1964; Cheng, "Generating beta variates
  /// with nonintegral shape parameters", CACM 21(4), 1978.
  public func draw(from words: inout Philox) -> Double { alpha <= 1 ? drawByPowers(&words) : drawByLogits(&words) }

  private func drawByPowers(_ words: inout Philox) -> Double {
    while true {
      let x = portableLog(words.nextBetween0And1()) / alpha
      let y = portableLog(words.nextBetween0And1()) / alpha
      if portableExp(x) + portableExp(y) <= 1 { return 1 / (1 + portableExp(y - x)) }
    }
  }

  private func drawByLogits(_ words: inout Philox) -> Double {
    // Cheng's β and γ for equal parameters.
    let root = alpha.squareRoot()
    let gamma = alpha + root
    while true {
      let (u, v) = (words.nextBetween0And1(), words.nextBetween0And1())
      let logit = portableLog(u / (1 - u)) / root
      let w = alpha * portableExp(logit)
      let r = gamma * logit - portableLog(4)
      if r + 2 * alpha * portableLog(2 * alpha / (alpha + w)) >= portableLog(u * u * v) { return w / (alpha + w) }
    }
  }
}

extension Philox {
  /// The next number between 0 and 1, neither of them: the middle of one of 2³² equal parts.
  fileprivate mutating func nextBetween0And1() -> Double { (Double(next()) + 0.5) * 0x1p-32 }
}
