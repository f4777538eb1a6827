import Charts
import Training

/// The charts of a run's epochs.
enum RunCharts {
  /// A figure of an epoch.
  typealias Figure = @Sendable (EpochFigures) -> Double?

  /// The figures that a page has a chart of: title, decimals, and the series of each.
  private static let figures: [(title: String, decimals: Int, series: [(name: String, figure: Figure)])] = [
    ("Loss", 4, [("training", { $0.trainLoss }), ("validation", { $0.validationLoss }), ("test", { $0.testLoss })]),
    (
      "Accuracy", 4,
      [("training", { $0.trainAccuracy }), ("validation", { $0.validationAccuracy }), ("test", { $0.testAccuracy })]
    ),
    ("Learning rate at the end", 6, [("learning rate", { $0[.learningRate] })]),
    ("Norm of the mean gradient", 4, [("norm", { $0.gradientNorm })]),
  ]

  /// The charts of one run that have something to show.
  static func training(_ run: RecordedRun) -> [Chart] {
    figures.map { title, decimals, series in
      Chart(
        title, axis: run.unit,
        series.map { Chart.Series($0.name, points(run.epochs, $0.figure)) }.filter { !$0.points.isEmpty },
        decimals: decimals)
    }.filter { !$0.isEmpty }
  }

  /// The charts of several runs, in which each run is a series.
  static func comparison(_ runs: [(name: String, run: RecordedRun)]) -> [Chart] {
    let units = Set(runs.map(\.run.unit)).sorted().joined(separator: ", ")
    return figures.flatMap { title, decimals, series in
      series.map { part in
        Chart(
          series.count == 1 ? title : "\(title), \(part.name)", axis: units,
          runs.map { Chart.Series($0.name, points($0.run.epochs, part.figure)) }, decimals: decimals)
      }
    }.filter { !$0.isEmpty }
  }

  /// The seconds of each epoch by their use.
  static func time(_ run: RecordedRun) -> Chart {
    let epochs = run.epochs
    return Chart(
      "Seconds of each \(run.unit)", axis: run.unit,
      [
        Chart.Series("compute", points(epochs) { $0.computeSeconds }),
        Chart.Series("communication", points(epochs) { $0.communicationSeconds }),
        Chart.Series("waiting", points(epochs) { $0.waitingSeconds }),
        Chart.Series("evaluation", points(epochs) { $0.evaluationSeconds }),
      ], style: .stackedBars, decimals: 3)
  }

  /// The samples a second of each epoch.
  static func rate(_ run: RecordedRun) -> Chart {
    Chart(
      "Samples a second", axis: run.unit,
      [Chart.Series("samples a second", points(run.epochs) { $0.samplesPerSecond })], decimals: 0)
  }

  private static func points(_ epochs: [EpochFigures], _ figure: Figure) -> [Chart.Point] {
    epochs.compactMap { epoch in
      figure(epoch).flatMap { $0.isFinite ? Chart.Point(Double(epoch.epoch), $0) : nil }
    }
  }
}
