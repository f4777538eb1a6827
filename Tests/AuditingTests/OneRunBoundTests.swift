import Auditing
import Tensors
import Testing

/// The bound by one run against the code of its paper, appendix D of arXiv 2305.08846 (with 40 halvings in the place of 30):
///
///     def p_value_DP_audit(m, r, v, eps, delta):
///       q = 1/(1+math.exp(-eps))
///       beta = scipy.stats.binom.sf(v-1, r, q)
///       alpha = 0
///       sum = 0
///       for i in range(1, v + 1):
///         sum = sum + scipy.stats.binom.pmf(v - i, r, q)
///         if sum > i * alpha:
///           alpha = sum / i
///       p = beta + alpha * delta * 2 * m
///       return min(p, 1)
///     def get_eps_audit(m, r, v, delta, p):
///       eps_min = 0
///       eps_max = 1
///       while p_value_DP_audit(m, r, v, eps_max, delta) < p: eps_max = eps_max + 1
///       for _ in range(40):
///         eps = (eps_min + eps_max) / 2
///         if p_value_DP_audit(m, r, v, eps, delta) < p:
///           eps_min = eps
///         else:
///           eps_max = eps
///       return eps_min
@Suite struct OneRunBoundTests {
  @Test(
    arguments: [
      (1000, 100, 75, 1, 1e-4, 0.40055451445360446), (1000, 100, 75, 0, 0, 2.818141017102701e-07),
      (1000, 1000, 530, 0.1, 1e-5, 0.3880263326149007), (100, 100, 100, 4, 1e-5, 0.16343558253092103),
      (50, 16, 3, 0.5, 1e-5, 0.9999398135761306), (100_000, 1510, 1439, 2.7, 1e-5, 0.05544665607022702),
      (20, 0, 0, 1, 1e-5, 1),
    ] as [(Int, Int, Int, Double, Double, Double)])
  func probabilitiesAreThePapers(
    _ canaries: Int, _ guesses: Int, _ correct: Int, _ epsilon: Double, _ delta: Double, _ wanted: Double
  ) {
    let p = OneRunBound(canaries: canaries, guesses: guesses, correct: correct).pValue(epsilon: epsilon, delta: delta)
    #expect(abs(p - wanted) <= 1e-9 * wanted, "\(p)")
  }

  /// The first two are printed in the paper: 0.673 in its appendix D, 2.675 in its section 7.
  @Test(
    arguments: [
      (1000, 100, 75, 1e-4, 0.05, 0.6729846641073891), (100_000, 1510, 1439, 1e-5, 0.05, 2.6758510076761013),
      (1000, 1000, 1000, 1e-5, 0.05, 5.782283135389662), (500, 250, 250, 1e-5, 0.05, 4.404768834178867),
      (1000, 1000, 500, 1e-5, 0.05, 0), (1000, 62, 60, 0, 0.01, 1.9119446612567117),
    ] as [(Int, Int, Int, Double, Double, Double)])
  func boundsAreThePapers(
    _ canaries: Int, _ guesses: Int, _ correct: Int, _ delta: Double, _ level: Double, _ wanted: Double
  ) {
    let epsilon = OneRunBound(canaries: canaries, guesses: guesses, correct: correct)
      .epsilon(delta: delta, confidence: 1 - level)
    #expect(abs(epsilon - wanted) < 1e-8, "\(epsilon)")
  }

  /// Randomised response is (ε, 0)-differentially private, and each coin can be guessed as well as ε allows: the bound must come near ε, and be
  /// above it in at most 5 of 100 cases. Of 300, 5 % and three deviations more are 26.
  @Test(arguments: [0, 0.5, 2] as [Double])
  func itHoldsForRandomisedResponse(_ epsilon: Double) {
    let truth = 1 / (1 + portableExp(-epsilon))
    var (above, sum) = (0, 0.0)
    for trial in 0..<300 {
      var words = Philox(seed: 7, purpose: .bootstrap, stream: UInt64(trial))
      let coins = (0..<400).map { _ in words.next() >> 31 == 1 }
      let scores = coins.map { coin in (Double(words.nextUniform()) < truth) == coin ? 1.0 : 0 }
      let found = OneRunBound.best(scores: scores, isIncluded: coins, delta: 0, confidence: 0.95).epsilon
      if found > epsilon { above += 1 }
      sum += found
    }
    #expect(above <= 26, "\(above) of 300 above \(epsilon)")
    #expect(sum / 300 > epsilon * 0.6 - 0.1, "\(sum / 300)")
  }

  @Test func theBestGuessesAreTheSurest() {
    // Right in the 64 largest and smallest scores alone: all guesses are little better than chance, these are right.
    let scores = (0..<1024).map { Double($0) }
    let coins = (0..<1024).map { $0 < 32 ? false : $0 >= 992 ? true : $0 % 2 == 0 }
    let (bound, epsilon) = OneRunBound.best(scores: scores, isIncluded: coins, delta: 1e-5, confidence: 0.95)
    #expect(bound == OneRunBound(canaries: 1024, guesses: 64, correct: 64), "\(bound)")
    // Each of the seven counts has its part of the 5 %.
    #expect(epsilon == bound.epsilon(delta: 1e-5, confidence: 1 - 0.05 / 7))
    #expect(epsilon > 2 && epsilon < bound.epsilon(delta: 1e-5, confidence: 0.95))
    // The other way round nothing is right.
    #expect(
      OneRunBound.best(scores: scores, isIncluded: coins.map { !$0 }, delta: 1e-5, confidence: 0.95).epsilon == 0)
  }
}
