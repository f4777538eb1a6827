import Console
import NeuralNetworks
import Training

/// The figures of a report that a run or an evaluation ends with, a line each: those of the positive class of a binary
/// task, or of a regression's errors.
public func reportLines(
  of loss: any Loss, _ report: ClassificationReport?, _ errors: RegressionReport?
) -> [String] {
  (loss is SigmoidCrossEntropy ? report?.positiveLines : errors?.lines) ?? []
}

extension ClassificationReport {
  /// Precision, recall and F1 of the positive class of a binary task, which is the last.
  fileprivate var positiveLines: [String] {
    guard let row = classes.last else { return [] }
    return [
      "Test precision: \(fixed(row.precision, 4))", "Test recall: \(fixed(row.recall, 4))",
      "Test F1: \(fixed(row.f1, 4))",
    ]
  }
}

extension RegressionReport {
  /// Mean squared error, mean absolute error and R².
  fileprivate var lines: [String] {
    // As Swift writes them: their unit is the target's, so a number of decimals would fit none.
    ["Test MSE: \(mse)", "Test MAE: \(mae)", "Test R2: \(fixed(r2, 4))"]
  }
}
