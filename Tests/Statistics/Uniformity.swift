/// Whether Pearson's statistic stays below a bound that it exceeds with a probability of about 10⁻⁶ (Wilson and Hilferty's approximation).
public func isUniform(_ counts: [Int]) -> Bool {
  let expected = Double(counts.reduce(0, +)) / Double(counts.count)
  let statistic = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  let freedom = Double(counts.count - 1)
  let root = 1 - 2 / (9 * freedom) + 4.75 * (2 / (9 * freedom)).squareRoot()
  return statistic < freedom * root * root * root
}
