import Charts
import Console
import Tensors
import Training

/// A page that shows several runs side by side.
public struct ComparisonPage {
  private let runs: [RecordedRun]

  /// The most runs on a page: each has a colour of its own.
  public static let mostRuns = 6

  /// A page of these runs, 2 to ``mostRuns``.
  public init(_ runs: [RecordedRun]) {
    precondition((2...Self.mostRuns).contains(runs.count), "a comparison of \(runs.count) runs")
    self.runs = runs
  }

  /// The page as one file of HTML.
  public var html: String {
    get throws { try PageTemplates.library().render(context, withTemplate: "comparison") ?? "" }
  }

  /// A row of a table.
  private struct Row {
    let name: String
    let cells: [String]
    var differs = false
  }

  private var context: [String: Any] {
    let names = runs.map { escaped($0.directory) }
    let charts = RunCharts.comparison(zip(names, runs).map { ($0, $1) })
    return [
      "title": "\(runs.count) runs",
      "columns": [
        "test accuracy", "test loss", "epochs or rounds", "samples a second", "time", "core-hours", "weights digest",
      ],
      "runs": zip(names, runs).map { Row(name: $0, cells: figures($1)) }, "names": names, "facts": facts,
      "charts": charts.map(ChartContext.init), "hasCharts": !charts.isEmpty,
    ]
  }

  private func figures(_ run: RecordedRun) -> [String] {
    guard let summary = run.summary else { return ["–", "–", "\(run.epochs.count)", "–", "–", "–", "not finished"] }
    return [
      summary.testAccuracy.map { fixed($0, 4) } ?? "–", fixed(summary.testLoss, 4), "\(summary.epochs)",
      grouped(summary.trainSamplesPerSecond.rounded()), duration(summary.secondsTotal),
      fixed(summary.secondsTotal * Double(summary.ranks) / 3600, 4), String(summary.weightsDigest.prefix(12)),
    ]
  }

  /// The lines of the recipes, in the order of the first that has them.
  private var facts: [Row] {
    var keys: [String] = []
    for run in runs { keys += run.configuration.map(\.key).filter { $0 != "command" && !keys.contains($0) } }
    return keys.map { key in
      let cells = runs.map { singleLine($0[key] ?? "") }
      return Row(name: singleLine(key.replacing("_", with: " ")), cells: cells, differs: Set(cells).count > 1)
    }
  }
}
