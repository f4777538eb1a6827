/// The report of an evaluation of a network that predicts numbers (``RegressionErrors``): scikit-learn's
/// `mean_squared_error`, `mean_absolute_error` and, for one number a sample, `r2_score`.
public struct RegressionReport: Sendable, Codable, Hashable {
  /// The mean squared error.
  public var mse: Double
  /// The mean absolute error.
  public var mae: Double
  /// R²: 1 for perfect predictions, 0 for those of the mean.
  public var r2: Double

  /// The report from the counters of ``RegressionErrors``.
  package init(_ counters: [Int]) {
    let scores = Dictionary(uniqueKeysWithValues: RegressionErrors().scores(counters).map { ($0.name, $0.value) })
    (mse, mae, r2) = (scores["mse"] ?? .nan, scores["mae"] ?? .nan, scores["r2"] ?? .nan)
  }
}
