import Charts
import Console
import Steps
import Training

/// The reliability diagram, as its template takes it.
struct ReliabilityContext {
  let text: String
  let title: String
  let svg: String
  let legend: [ChartContext.Entry]
  let hasLegend: Bool
  let columns: [String]
  let rows: [[String]]

  init(_ bins: [ReliabilityBin], error: Double) {
    text =
      "How often a prediction is right, by the probability that the network gives it. On the broken line the two agree. "
      + "Expected calibration error: \(fixed(error, 4))."
    let chart = ChartContext(
      ReliabilityChart(bins.map { .init(samples: $0.samples, accuracy: $0.accuracy, confidence: $0.confidence) }),
      title: "Accuracy by probability")
    (title, svg, columns, rows) = (chart.title, chart.svg, chart.columns, chart.rows)
    (legend, hasLegend) = (chart.legend, chart.hasLegend)
  }
}
