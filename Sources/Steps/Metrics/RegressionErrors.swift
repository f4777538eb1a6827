/// The errors of predicted numbers z against a sample's numbers y: mean squared error, mean absolute error, and R².
///
/// R² is 1 − Σ (z − y)² / Σ (y − ȳ)²: 1 for perfect predictions, 0 for those of the mean. Over several numbers a sample,
/// sums are over all of them, and ȳ is the mean of all. Sums are exact, so scores are the same at any
/// number of ranks.
public struct RegressionErrors: Metric {
  /// The errors.
  public init() {}

  /// One for the count, then the digits of four sums: (z − y)², |z − y|, y and y².
  public var counterCount: Int { 1 + 4 * ExactSum.counterCount }

  public func count(_ predictions: Predictions, into counters: inout [Int]) {
    let values = predictions.examples.values
    guard values.count > 0, values.count == predictions.outputs.count else { return }
    counters[0] += values.count
    for index in 0..<values.count {
      let (output, value) = (Double(predictions.outputs[index]), Double(values[index]))
      for (sum, summand) in [(output - value) * (output - value), abs(output - value), value, value * value]
        .enumerated()
      {
        ExactSum.add(summand, to: &counters, at: 1 + sum * ExactSum.counterCount)
      }
    }
  }

  public func scores(_ counters: [Int]) -> [Score] {
    let count = Double(counters[0])
    let sums = (0..<4).map { ExactSum.value(counters, at: 1 + $0 * ExactSum.counterCount) }
    let spread = sums[3] - sums[2] * sums[2] / count
    // Without a spread there is nothing to explain: scikit-learn's answer.
    let r2 = spread > 0 ? 1 - sums[0] / spread : counters[0] == 0 || sums[0].isNaN ? .nan : sums[0] == 0 ? 1 : 0
    return [Score("mse", sums[0] / count), Score("mae", sums[1] / count), Score("r2", r2)]
  }
}
