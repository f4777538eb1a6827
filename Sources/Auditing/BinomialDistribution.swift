import Glibc

/// The number of successes in independent trials, each with the same probability.
package struct BinomialDistribution {
  /// The number of trials.
  package let trials: Int
  /// The probability of a success, 0 to 1.
  package let probability: Double

  package init(trials: Int, probability: Double) {
    precondition(trials >= 0 && probability >= 0 && probability <= 1, "\(trials) trials of probability \(probability)")
    (self.trials, self.probability) = (trials, probability)
  }

  /// The probability of exactly `successes`.
  package func mass(_ successes: Int) -> Double {
    guard 0...trials ~= successes else { return 0 }
    if probability == 0 || probability == 1 { return successes == (probability == 0 ? 0 : trials) ? 1 : 0 }
    let failures = trials - successes
    return exp(
      logFactorial(trials) - logFactorial(successes) - logFactorial(failures) + Double(successes) * log(probability)
        + Double(failures) * log1p(-probability))
  }

  /// The probability of `successes` or more.
  package func upperTail(_ successes: Int) -> Double {
    if successes <= 0 { return 1 }
    // Summed from its largest mass on, so that small tails keep their digits.
    if Double(successes) > mean { return min(1, sum(from: successes, by: 1)) }
    return max(0, 1 - sum(from: successes - 1, by: -1))
  }

  /// The probability of `successes` or fewer.
  package func lowerTail(_ successes: Int) -> Double {
    if successes >= trials { return 1 }
    if Double(successes) < mean { return min(1, sum(from: successes, by: -1)) }
    return max(0, 1 - sum(from: successes + 1, by: 1))
  }

  private var mean: Double { Double(trials) * probability }

  /// The sum of the masses from `first` on to the end on that side, which fall.
  private func sum(from first: Int, by step: Int) -> Double {
    var (sum, successes) = (0.0, first)
    while 0...trials ~= successes {
      let mass = mass(successes)
      sum += mass
      if mass <= sum * 0x1p-60 { break }
      successes += step
    }
    return sum
  }

  private func logFactorial(_ number: Int) -> Double { lgamma(Double(number) + 1).0 }

  /// The interval in which the probability lies with this confidence, after `successes` in `trials` (Clopper and Pearson 1934): each end is
  /// the probability by which a count as far out has half of the remaining chance.
  package static func clopperPearson(successes: Int, of trials: Int, confidence: Double) -> ClosedRange<Double> {
    guard trials > 0 else { return 0...1 }
    let half = (1 - confidence) / 2
    let low =
      successes == 0
      ? 0 : bisect { BinomialDistribution(trials: trials, probability: $0).upperTail(successes) >= half }
    let high =
      successes == trials
      ? 1 : bisect { BinomialDistribution(trials: trials, probability: $0).lowerTail(successes) <= half }
    return min(low, high)...max(low, high)
  }

  /// The smallest number in 0…1 of which `isBeyond` is true; it must be true from there on.
  private static func bisect(_ isBeyond: (Double) -> Bool) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if isBeyond(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
