import Lockstep

/// Audits as lines for people, of at most 80 columns but for long names.
enum AuditText {
  static func lines(_ report: MembershipReport) -> [String] {
    var lines = [
      "\(escaped(report.model)), trained on \(grouped(report.members)) samples, not on \(grouped(report.others)) others",
      "Accuracy: \(fixed(report.memberAccuracy, 4)) of its samples, \(fixed(report.otherAccuracy, 4)) of the others",
    ]
    if let shadows = report.shadows {
      let deviations = report.sharesVariance == true ? "one deviation for all samples" : "a deviation for each sample"
      lines.append("Shadow models: \(shadows), \(deviations)")
    }
    if let epsilon = report.epsilon { lines.append("Private: epsilon \(fixed(epsilon, 4))") }
    lines.append(
      row("attack", "AUC", report.attacks.first?.found.map { "TPR at \(rate($0.falsePositiveRate)) FPR" } ?? []))
    for attack in report.attacks {
      lines.append(
        row(
          attack.name, "\(fixed(attack.auc, 3)) \(interval(attack.aucInterval, 3))",
          attack.found.map {
            "\(fixed($0.truePositiveRate * 100, 2)) % "
              + interval($0.interval.lowerBound * 100...$0.interval.upperBound * 100, 2)
          }))
    }
    lines.append("In brackets: \(rate(report.confidence)) intervals. Guessing has AUC 0.5 and a TPR of the FPR.")
    if report.others < 1000 {
      lines.append("Of \(report.others) others 0.1 % are none: that TPR is without a false positive.")
    }
    return lines
  }

  static func lines(_ report: CanaryReport) -> [String] {
    let kind = report.kind == .mislabelled ? "mislabelled samples" : "images of noise"
    var lines = [
      "\(escaped(report.model)), trained on \(grouped(report.samples)) samples",
      "Canaries: \(grouped(report.canaries)) \(kind), \(grouped(report.included)) of them trained on",
      "Told apart with AUC \(fixed(report.auc, 3)) \(interval(report.aucInterval, 3))",
      "Best guesses: \(grouped(report.correct)) of \(grouped(report.guesses)) right",
    ]
    if let accuracy = report.testAccuracy { lines.append("Test accuracy: \(fixed(accuracy, 4))") }
    if let privacy = report.privacy {
      lines.append("Accountant: epsilon at most \(fixed(privacy.epsilon, 4)), at delta \(privacy.delta)")
    }
    lines.append(
      "Canaries: epsilon at least \(fixed(report.epsilonLowerBound, 4)), at delta \(report.delta), with \(rate(report.confidence)) confidence"
    )
    return lines
  }

  private static func row(_ name: String, _ auc: String, _ found: [String]) -> String {
    let cells = [(name, 15), (auc, 21)] + found.map { ($0, 22) }
    let text = cells.map { $0.0 + String(repeating: " ", count: max(1, $0.1 - $0.0.count)) }.joined()
    return String(text[..<(text.lastIndex { $0 != " " }.map { text.index(after: $0) } ?? text.endIndex)])
  }

  private static func interval(_ range: ClosedRange<Double>, _ decimals: Int) -> String {
    "(\(fixed(range.lowerBound, decimals))–\(fixed(range.upperBound, decimals)))"
  }

  /// A rate in percent, with the digits that it has: `0.1 %`.
  private static func rate(_ part: Double) -> String {
    let percent = (part * 1e6).rounded() / 1e4
    return (percent == percent.rounded() ? fixed(percent, 0) : "\(percent)") + " %"
  }
}
