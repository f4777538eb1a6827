import Glibc

/// The loss of one step on a grid of multiples of h, by the rule "connect the dots": each loss L between the multiples
/// ih and (i + 1)h becomes one of the two, (i + 1)h with probability
///
///     b = (1 − exp(ih − L))/(1 − exp(−h))
///
/// so that both data sets keep their probability, E[1] and E[exp(−L)]. The δ(ε) of the result is never below the true
/// one, and equal to it at all multiples of h: it joins those points by straight lines in exp(ε).
///
/// Source: Doroshenko et al. 2022, arXiv 2207.04380. They take differences of δ(ε); here the cells are integrated, which
/// loses no digits however small they are.
struct LossGrid {
  /// h.
  let spacing: Double
  /// N, a power of two. Multiples that differ by N share a place: the convolution is circular.
  let count: Int
  /// λ. Probabilities are weighted by exp(λ·loss), so that the convolution is exact where ε is, however small δ.
  let tilt: Double

  /// The weighted probabilities of one step, which sum to 1: multiple i is at place i mod N. With the logarithm of the
  /// sum that they were divided by.
  func probabilities(of loss: PrivacyLoss) -> (places: [Double], logSum: Double) {
    var places = [Double](repeating: 0, count: count)
    // No more than a first guess of the sum, which keeps the exponentials in range.
    let guess = LossMoments([(loss, 1)]).logMoment(tilt)
    for range in loss.outcomes {
      var (t, cell) = (range.lowerBound, Int((loss.ratio(at: range.lowerBound) / spacing).rounded(.down)))
      while t < range.upperBound {
        let cellEnd = loss.outcome(ofRatio: Double(cell + 1) * spacing)
        let end = min(cellEnd, t + loss.panelWidth, range.upperBound)
        if end > t { add(loss, from: t, to: end, cell: cell, logScale: guess, to: &places) }
        t = max(t, end)
        if cellEnd <= t { cell += 1 }
      }
    }
    let sum = places.reduce(0, +)
    for place in places.indices { places[place] /= sum }
    return (places, guess + log(sum))
  }

  /// Adds the outcomes from `start` to `end`, whose ratios ℓ lie between `cell` and `cell + 1` times h.
  private func add(
    _ loss: PrivacyLoss, from start: Double, to end: Double, cell: Int, logScale: Double, to places: inout [Double]
  ) {
    let lowerIndex = loss.direction == .removing ? cell : -cell - 1
    let lowerLoss = Double(lowerIndex) * spacing
    let (middle, half) = ((start + end) / 2, (end - start) / 2)
    var (lower, upper) = (0.0, 0.0)
    // In a tiny cell two nodes are as good as five.
    for (node, weight) in half < 5e-4 ? GaussLegendre.two : GaussLegendre.five {
      let t = middle + half * node
      let ratio = loss.ratio(at: t)
      let probability = weight * half * exp(loss.logDensity(at: t, ratio: ratio) + tilt * lowerLoss - logScale)
      let part = expm1(lowerLoss - loss.loss(ofRatio: ratio)) / expm1(-spacing)
      // Rounding can put a loss a little outside its cell.
      let share = min(max(part, 0), 1)
      lower += probability * (1 - share)
      upper += probability * share
    }
    places[lowerIndex & (count - 1)] += lower
    places[(lowerIndex + 1) & (count - 1)] += upper * exp(tilt * spacing)
  }
}
