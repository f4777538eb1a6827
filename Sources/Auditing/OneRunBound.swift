import Glibc

/// The ε that one training run shows to be too small, by guesses at which canaries it was trained on (Steinke, Nasr and Jagielski 2023,
/// "Privacy Auditing with One (1) Training Run", arXiv 2305.08846).
///
/// Each of m canaries is trained on or left out by a fair coin. Whoever sees the model guesses r of the coins and is right v times. Of
/// training with (ε, δ)-differential privacy, under the adding or leaving out of a sample, the probability of v or more right guesses is at
/// most (theorem 5.2, in the form of its appendix D)
///
///     P[W ≥ v] + 2mδ · max over i in 1…v of P[v > W ≥ v − i] / i,   W ~ Binomial(r, 1/(1 + e^−ε)).
public struct OneRunBound: Hashable, Sendable {
  /// The canaries m.
  public let canaries: Int
  /// The guesses r.
  public let guesses: Int
  /// The right ones among them, v.
  public let correct: Int

  /// `correct` of `guesses` at `canaries` coins.
  public init(canaries: Int, guesses: Int, correct: Int) {
    precondition(
      0 <= correct && correct <= guesses && guesses <= canaries,
      "\(correct) of \(guesses) guesses at \(canaries) canaries")
    (self.canaries, self.guesses, self.correct) = (canaries, guesses, correct)
  }

  /// The largest probability of as many right guesses that training with (ε, δ)-differential privacy may have.
  public func pValue(epsilon: Double, delta: Double) -> Double {
    let guessing = BinomialDistribution(trials: guesses, probability: 1 / (1 + exp(-epsilon)))
    var (largest, sum) = (0.0, 0.0)
    for below in stride(from: 1, through: delta > 0 ? correct : 0, by: 1) {
      sum += guessing.mass(correct - below)
      largest = max(largest, sum / Double(below))
    }
    return min(1, guessing.upperTail(correct) + largest * delta * 2 * Double(canaries))
  }

  /// The largest ε that these guesses rule out with this confidence at `delta`; 0 if they rule out none.
  public func epsilon(delta: Double, confidence: Double) -> Double {
    let level = 1 - confidence
    var (low, high) = (0.0, 1.0)
    while pValue(epsilon: high, delta: delta) < level { high += 1 }
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if pValue(epsilon: middle, delta: delta) < level { low = middle } else { high = middle }
    }
    return low
  }

  /// The best bound by guesses from scores, of which the largest are guessed to be trained on and the smallest to be left out: with all
  /// canaries guessed, half of them, a quarter …, but at least sixteen. Each has its part of what `confidence` leaves, so the best of them
  /// still holds with `confidence` (Bonferroni).
  ///
  /// - Parameters:
  ///   - scores: a number a canary, the larger the more it looks trained on. They must not be made with the coins. Of equal ones, those
  ///     before count as larger.
  ///   - isIncluded: the coins.
  public static func best(
    scores: [Double], isIncluded: [Bool], delta: Double, confidence: Double
  ) -> (bound: OneRunBound, epsilon: Double) {
    precondition(
      scores.count == isIncluded.count && !scores.isEmpty, "\(scores.count) scores, \(isIncluded.count) coins")
    let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    var counts = [scores.count]
    while counts[counts.count - 1] / 2 >= fewestGuesses { counts.append(counts[counts.count - 1] / 2) }
    let bounds = counts.map { guesses in
      let high = (guesses + 1) / 2
      let correct =
        order.prefix(high).count { isIncluded[$0] } + order.suffix(guesses - high).count { !isIncluded[$0] }
      return OneRunBound(canaries: scores.count, guesses: guesses, correct: correct)
    }
    let each = 1 - (1 - confidence) / Double(counts.count)
    let found = bounds.map { (bound: $0, epsilon: $0.epsilon(delta: delta, confidence: each)) }
    // The first of equals: that of the most guesses.
    return found.dropFirst().reduce(found[0]) { $1.epsilon > $0.epsilon ? $1 : $0 }
  }

  private static let fewestGuesses = 16
}
