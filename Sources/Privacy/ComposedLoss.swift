import Glibc

/// The distribution of the loss of all steps of one direction, on the grid around the ε of one δ.
struct ComposedLoss {
  private let grid: LossGrid
  /// The probabilities, weighted by exp(λ·loss) and divided by exp(``logSum``), at place i mod N for the loss ih.
  private let places: [Double]
  /// The logarithm of the sum of the weighted probabilities.
  private let logSum: Double
  /// The smallest multiple of h that has a place.
  private let first: Int
  /// The probability of a loss that is taken as infinite.
  private let infinite: Double

  /// The part of the weighted probability that may lie on either side of the grid.
  private static let outside = 1e-12
  /// The part of ε that the grid may add.
  private static let accuracy = 1e-6
  /// The least and the largest number of points.
  private static let counts = 1 << 10...1 << 20

  /// Convolves the losses of these kinds of steps. nil if Chernoff's bound says already that ε is 0 at `delta`.
  init?(_ losses: [(loss: PrivacyLoss, steps: Int)], delta: Double) {
    let moments = LossMoments(losses)
    let bound = moments.bound(delta: delta)
    guard bound.epsilon > 0 else { return nil }
    let steps = losses.reduce(0.0) { $0 + Double($1.steps) }
    // Each cell between the least and the largest loss of one step takes time.
    let finest = losses.reduce(0) { max($0, $1.loss.extent) } / Double(Self.counts.upperBound)
    // Next to the largest possible loss λ is so large that the weights would change too much from cell to cell.
    let tilt = min(bound.lambda, 0.01 / finest)
    let range = moments.range(lambda: tilt, mass: Self.outside)
    let length = range.upperBound - range.lowerBound
    // A spacing of h adds about h²/12·λ(λ + 1) to K(λ) of each step, and (λ + 1)/12·h² to ε.
    let wish = (12 * Self.accuracy * bound.epsilon / (steps * (tilt + 1))).squareRoot()
    var count = Self.counts.lowerBound
    while Double(count - 2) * max(wish, finest) < length && count < Self.counts.upperBound { count *= 2 }
    grid = LossGrid(spacing: max(length / Double(count - 2), finest), count: count, tilt: tilt)
    first = Int((range.lowerBound / grid.spacing).rounded(.down))

    let transform = FourierTransform(count: count)
    var spectrum = [Complex](repeating: Complex(1, 0), count: count)
    var logSum = 0.0
    for (loss, steps) in losses {
      let (places, logPart) = grid.probabilities(of: loss)
      var part = places.map { Complex($0, 0) }
      transform.forward(&part)
      for k in spectrum.indices { spectrum[k] = product(spectrum[k], power(part[k], steps)) }
      logSum += Double(steps) * logPart
    }
    transform.inverse(&spectrum)
    places = spectrum.map { $0.x }
    self.logSum = logSum
    let top = Double(first + count - 1) * grid.spacing
    infinite = steps * PrivacyLoss.leftOut + Self.outside * exp(logSum - grid.tilt * top)
  }

  /// The smallest ε ≥ 0 with δ(ε) ≤ `delta`; infinite if there is none.
  ///
  /// From the largest loss down. Below the multiple l of h, with B the sum of the probabilities of all losses from l on,
  /// each times exp(l − loss):
  ///
  ///     δ(ε) = δ(l) + B·(1 − exp(ε − l))     for ε from l − h to l
  func epsilon(delta: Double) -> Double {
    guard infinite < delta else { return .infinity }
    let (decay, part) = (exp(-grid.spacing), -expm1(-grid.spacing))
    var (reached, sum) = (infinite, 0.0)
    for index in stride(from: first + grid.count - 1, through: first, by: -1) {
      let loss = Double(index) * grid.spacing
      guard loss > 0 else { return 0 }
      let probability = max(0, places[index & (grid.count - 1)]) * exp(logSum - grid.tilt * loss)
      sum = sum * decay + probability
      if reached + sum * part > delta { return max(0, loss + log1p((reached - delta) / sum)) }
      reached += sum * part
    }
    return max(0, Double(first) * grid.spacing)
  }
}
