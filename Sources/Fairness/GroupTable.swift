import Console
import Tensors

/// A ``GroupReport`` as tables for people, at most 80 columns wide.
public struct GroupTable {
  private static let nameWidth = 16
  private static let intervalWidth = 16

  private let report: GroupReport

  /// A table of `report`.
  public init(_ report: GroupReport) { self.report = report }

  /// The lines, without a line break behind the last.
  public var text: String {
    let figures = GroupFigure.allCases.filter { figure in
      report.groups.contains { $0.figures[figure] != nil } || report.overall[figure] != nil
    }
    var lines = ["By \(escaped(report.by, limit: 60)):"]
    // A column is as wide as its title, and a blank or two.
    let widths = [8] + figures.map { max($0.title.count + 1, 8) }
    lines.append(line("", ["samples"] + figures.map(\.title), widths))
    func add(_ name: String, _ samples: String, _ values: FigureSet<Estimate>) {
      lines.append(line(name, [samples] + figures.map { text(values[$0]?.value) }, widths))
    }
    for group in report.groups { add(group.name, "\(group.samples)", group.figures) }
    add("overall", "\(report.samples)", report.overall)
    add("minimum", "", report.minimum)
    add("maximum", "", report.maximum)
    add("difference", "", report.difference)
    add("ratio", "", report.ratio)
    if report.replicates > 0 {
      let shown = [GroupFigure.accuracy, .precision, .recall, .falsePositiveRate]
      lines.append("95 % intervals, by a bootstrap of \(grouped(report.replicates)) replicates:")
      let widths = shown.map { _ in Self.intervalWidth }
      lines.append(line("", shown.map(\.title), widths))
      for (name, values) in report.groups.map({ ($0.name, $0.figures) })
        + [("overall", report.overall), ("difference", report.difference)]
      {
        lines.append(line(name, shown.map { interval(values[$0]) }, widths))
      }
    }
    return (lines + fairness + report.warnings.map { "note: \(singleLine($0))" }).joined(separator: "\n")
  }

  /// Demographic parity and equalised odds, a line each.
  private var fairness: [String] {
    guard let fairness = report.fairness else { return [] }
    func line(_ name: String, _ estimate: Estimate?) -> String {
      let interval = estimate?.low == nil ? "" : " (95 %: \(self.interval(estimate)))"
      return "\(name): \(text(estimate?.value))\(interval)"
    }
    return [
      line("Demographic parity difference", fairness.demographicParityDifference),
      line("Demographic parity ratio", fairness.demographicParityRatio),
      line("Equalised odds difference", fairness.equalizedOddsDifference),
      line("Equalised odds ratio", fairness.equalizedOddsRatio),
    ]
  }

  private func text(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "–" }

  private func interval(_ estimate: Estimate?) -> String {
    guard let low = estimate?.low, let high = estimate?.high else { return "–" }
    return "\(fixed(low, 4))–\(fixed(high, 4))"
  }

  private func line(_ name: String, _ cells: [String], _ widths: [Int]) -> String {
    func blanks(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) }
    let name = escaped(name, limit: Self.nameWidth)
    return name + blanks(name, Self.nameWidth) + zip(cells, widths).map { blanks($0, $1) + $0 }.joined()
  }
}
