import Auditing
import Testing

/// Binomial tails and Clopper and Pearson's intervals against scipy's:
///
///     import scipy.stats
///     interval = scipy.stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
///
/// by scipy 1.17.1.
@Suite struct BinomialDistributionTests {
  @Test(arguments: [
    (0, 10, 0.95, 0.0, 0.30849710781876294), (10, 10, 0.95, 0.6915028921812371, 1.0),
    (3, 10, 0.95, 0.06673951117773447, 0.652452850060008),
    (1, 1000, 0.95, 2.5317487491674634e-05, 0.0055589242798499),
    (997, 1000, 0.99, 0.9890662225795948, 0.9996618554709337),
    (30000, 60000, 0.95, 0.49599098804358976, 0.5040090119564102), (0, 1, 0.9, 0.0, 0.95),
  ])
  func intervalsAreScipys(_ successes: Int, _ trials: Int, _ confidence: Double, _ low: Double, _ high: Double) {
    let ours = BinomialDistribution.clopperPearson(successes: successes, of: trials, confidence: confidence)
    #expect(abs(ours.lowerBound - low) <= 1e-9 * low && abs(ours.upperBound - high) <= 1e-9 * high, "\(ours)")
  }

  @Test func nothingTriedSaysNothing() {
    #expect(BinomialDistribution.clopperPearson(successes: 0, of: 0, confidence: 0.95) == 0...1)
  }

  /// Tails against sums of all masses by the triangle of Pascal.
  @Test func tailsAreSums() {
    for (trials, probability) in [(1, 0.3), (7, 0.5), (20, 0.01), (20, 0.99), (12, 0), (12, 1)] as [(Int, Double)] {
      var masses = [1.0]
      for _ in 0..<trials {
        masses = (0...masses.count).map {
          ($0 < masses.count ? masses[$0] * (1 - probability) : 0) + ($0 > 0 ? masses[$0 - 1] * probability : 0)
        }
      }
      let distribution = BinomialDistribution(trials: trials, probability: probability)
      for count in -1...trials + 1 {
        let (upper, lower) = (
          masses.indices.filter { $0 >= count }.reduce(0) { $0 + masses[$1] },
          masses.indices.filter { $0 <= count }.reduce(0) { $0 + masses[$1] }
        )
        let mass = masses.indices.contains(count) ? masses[count] : 0
        #expect(abs(distribution.mass(count) - mass) < 1e-12, "\(trials) \(probability) \(count)")
        #expect(abs(distribution.upperTail(count) - upper) < 1e-12, "\(trials) \(probability) \(count)")
        #expect(abs(distribution.lowerTail(count) - lower) < 1e-12, "\(trials) \(probability) \(count)")
      }
    }
    // Far out, where one minus the rest would be nothing: 2⁻²⁰⁰.
    let far = BinomialDistribution(trials: 200, probability: 0.5).upperTail(200)
    #expect(abs(far / 0x1p-200 - 1) < 1e-10, "\(far)")
  }
}
