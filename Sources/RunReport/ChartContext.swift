import Charts

/// A chart as its template takes it.
struct ChartContext {
  let title: String
  let svg: String
  /// Empty for a single series, which the title names.
  let legend: [Entry]
  let hasLegend: Bool
  let columns: [String]
  let rows: [[String]]

  /// A line of the legend.
  struct Entry {
    let name: String
    /// The look of the series, as SVG in a box of 22 by 10.
    let swatch: String
  }

  init(_ chart: Chart) {
    title = chart.title
    svg = chart.svg
    columns = [chart.axis] + chart.series.map(\.name)
    rows = chart.rows
    legend =
      chart.series.count < 2
      ? []
      : chart.series.enumerated().map { index, series in
        let shape =
          switch chart.style {
          case .lines: "<polyline class=\"s\(index)\" points=\"0,5 22,5\"/>"
          case .stackedBars: "<rect class=\"s\(index)\" width=\"22\" height=\"10\"/>"
          }
        return Entry(name: series.name, swatch: shape)
      }
    hasLegend = !legend.isEmpty
  }

  init(_ chart: ReliabilityChart, title: String) {
    self.title = title
    svg = chart.svg
    (legend, hasLegend) = ([], false)
    columns = ["probability", "samples", "mean probability", "accuracy"]
    rows = chart.rows
  }
}
