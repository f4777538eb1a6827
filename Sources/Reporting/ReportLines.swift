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

/// The results of a run, a line each; the last is what was sought: the accuracy or, where nothing is right or wrong, the loss.
func resultLines(of summary: TrainingSummary, _ loss: (any Loss)?) -> [String] {
  var lines: [String] = []
  if let epoch = summary.bestEpoch, let step = summary.bestStep, let loss = summary.bestValidationLoss {
    lines.append(
      (summary.isStoppedEarly == true ? "stopped early; " : "")
        + "the best epoch was \(epoch), at step \(step), with val_loss \(fixed(loss, 4))")
  }
  if let digest = summary.averagedWeightsDigest { lines.append("averaged weights digest: \(digest)") }
  lines.append("weights digest: \(summary.weightsDigest)")
  if let privacy = summary.privacy { lines.append(privacy.line) }
  if let federation = summary.federation, let accuracy = federation.accuracy {
    lines.append(
      "\(grouped(federation.clients)) clients: accuracy \(fixed(accuracy.mean, 4)) on their own data, deviation "
        + "\(fixed(accuracy.standardDeviation, 4)), worst tenth \(fixed(accuracy.worstTenth, 4)), best tenth \(fixed(accuracy.bestTenth, 4))"
    )
  }
  lines += loss.map { reportLines(of: $0, summary.testMetrics, summary.testErrors) } ?? []
  lines.append(
    summary.testAccuracy.map { "Test accuracy: \(fixed($0, 4))" }
      ?? "Test \(loss?.unit ?? "loss"): \(fixed(summary.testLoss, 4))")
  return lines
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

extension PrivacySpent {
  /// ε and what it follows from, in a line.
  fileprivate var line: String {
    "privacy: epsilon \(fixed(epsilon, 4)) at delta \(delta) (\(conversion)), noise multiplier \(noiseMultiplier), sample rate "
      + "\(sampleRate), \(grouped(steps)) steps" + (isSecret ? "" : "; not for those who know the seed")
  }
}
