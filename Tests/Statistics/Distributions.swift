import Glibc

/// Pearson's statistic of counts against expected ones, and the bound that it exceeds with a probability of about 10⁻⁶.
public func chiSquare(_ counts: [Int], expected: [Double]) -> (statistic: Double, bound: Double) {
  let statistic = zip(counts, expected).reduce(0) { sum, pair in
    let difference = Double(pair.0) - pair.1
    return sum + difference * difference / pair.1
  }
  // Wilson & Hilferty's approximation.
  let freedom = Double(counts.count - 1)
  let part = 2 / (9 * freedom)
  let cube = 1 - part + 4.75 * part.squareRoot()
  return (statistic, freedom * cube * cube * cube)
}

/// Φ(x).
public func normalProbability(below x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

/// Kolmogorov and Smirnov's distance of `values` from the standard normal distribution, times √n. It exceeds 2.6 with a
/// probability of about 3·10⁻⁶.
public func normalDistance(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let count = Double(sorted.count)
  var distance = 0.0
  for (rank, value) in sorted.enumerated() {
    let probability = normalProbability(below: value)
    distance = max(distance, probability - Double(rank) / count, Double(rank + 1) / count - probability)
  }
  return distance * count.squareRoot()
}
