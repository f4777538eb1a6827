import Console
import NeuralNetworks
import Steps
import Tensors
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
  if let privacy = summary.privacy {
    lines.append(privacy.line)
    lines += summary.testMetrics?.recallLines ?? []
  }
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
  /// The lowest recall of a class, and a warning if the class has collapsed: private training harms small and hard classes most (Bagdasaryan
  /// et al. 2019, "Differential Privacy Has Disparate Impact on Model Accuracy"). Collapsed is a recall below a half, or below the median of
  /// all classes by more than 0.2.
  fileprivate var recallLines: [String] {
    let rows = classes.filter { $0.samples > 0 }
    guard let lowest = rows.min(by: { $0.recall < $1.recall }) else { return [] }
    let sorted = rows.map(\.recall).sorted()
    let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    let line = "lowest recall of a class: \(fixed(lowest.recall, 4)) (\(escaped(lowest.name)))"
    guard lowest.recall < 0.5 || lowest.recall < median - 0.2 else { return [line] }
    let collapsed = rows.filter { $0.recall < 0.5 || $0.recall < median - 0.2 }
    let names =
      collapsed.prefix(5).map { escaped($0.name) }.joined(separator: ", ") + (collapsed.count > 5 ? ", …" : "")
    return [
      line,
      "warning: private training has lost \(collapsed.count == 1 ? "class" : "classes") \(names): more epsilon, larger batches or more "
        + "samples of \(collapsed.count == 1 ? "it" : "them") may help",
    ]
  }

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
