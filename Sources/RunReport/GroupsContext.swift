import Console
import Fairness
import Tensors

/// The tables of an evaluation's groups, as their templates take them.
struct GroupsContext {
  let by: String
  let samples: String
  let replicates: String
  /// What precision, recall and false positive rate are of.
  let meaning: String
  let columns: [String]
  let rows: [ClassesContext.Row]
  let hasFairness: Bool
  let fairness: [ClassesContext.Row]
  let warnings: [String]

  /// `shown` makes a text of others one that cannot harm its place.
  init(_ report: GroupReport, shown: (String) -> String = { singleLine($0) }) {
    by = shown(report.by)
    samples = grouped(report.samples)
    replicates = grouped(report.replicates)
    meaning =
      report.positive.map {
        "Precision, recall, false positive rate (FPR) and the part that is selected are of class \(shown($0))."
      }
      ?? "Precision, recall and false positive rate (FPR) are means over the classes."
    let figures = GroupFigure.allCases.filter { figure in
      report.groups.contains { $0.figures[figure] != nil } || report.overall[figure] != nil
    }
    columns = ["samples"] + figures.flatMap { [$0.title, "95 %"] }
    func row(_ name: String, _ samples: String, _ values: FigureSet<Estimate>) -> ClassesContext.Row {
      ClassesContext.Row(name: name, cells: [samples] + figures.flatMap { Self.cells(values[$0]) })
    }
    rows =
      report.groups.map { row(shown($0.name), grouped($0.samples), $0.figures) } + [
        row("overall", samples, report.overall), row("minimum", "", report.minimum), row("maximum", "", report.maximum),
        row("difference", "", report.difference), row("ratio", "", report.ratio),
      ]
    hasFairness = report.fairness != nil
    fairness = [
      ("demographic parity difference", report.fairness?.demographicParityDifference),
      ("demographic parity ratio", report.fairness?.demographicParityRatio),
      ("equalised odds difference", report.fairness?.equalizedOddsDifference),
      ("equalised odds ratio", report.fairness?.equalizedOddsRatio),
    ].map { ClassesContext.Row(name: $0, cells: Self.cells($1)) }
    warnings = report.warnings.map(shown)
  }

  /// The value and its interval.
  private static func cells(_ estimate: Estimate?) -> [String] {
    guard let estimate else { return ["–", "–"] }
    guard let low = estimate.low, let high = estimate.high else { return [fixed(estimate.value, 4), "–"] }
    return [fixed(estimate.value, 4), "\(fixed(low, 4))–\(fixed(high, 4))"]
  }
}
