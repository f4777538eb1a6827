import Console

/// A chart of figures over a number that they belong to, such as the epoch: a picture in SVG, and the table behind it.
public struct Chart: Sendable {
  /// Figures of one kind, a name and a line or the parts of bars.
  public struct Series: Sendable {
    /// The name in the legend.
    public var name: String
    /// The figures, by the number that they belong to; those that are not finite, or 10³⁰⁰ and more, are not drawn.
    public var points: [Point]

    /// A series of this name.
    public init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
  }

  /// A figure and the number that it belongs to.
  public struct Point: Sendable, Hashable {
    /// The number that the figure belongs to: its place along the axis.
    public var x: Double
    /// The figure.
    public var y: Double

    /// The figure `y` at `x`.
    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// How the figures are drawn.
  public enum Style: Sendable {
    /// A line a series.
    case lines
    /// A bar for each number, with a part for each series: the figures must be 0 or more.
    case stackedBars
  }

  /// What the chart shows.
  public var title: String
  /// What the numbers along the axis are, such as `epoch`; they are integers.
  public var axis: String
  /// The series, from the first colour on.
  public var series: [Series]
  /// How they are drawn.
  public var style: Style
  /// The decimals of figures in the table.
  public var decimals: Int

  /// A chart of these series.
  public init(_ title: String, axis: String, _ series: [Series], style: Style = .lines, decimals: Int = 4) {
    (self.title, self.axis, self.series, self.style, self.decimals) = (title, axis, series, style, decimals)
  }

  /// Whether there is anything to draw.
  public var isEmpty: Bool { !series.contains { $0.points.contains { Axis.canShow($0.y) } } }

  /// The numbers that have a figure in any series, in order.
  private var numbers: [Double] { Set(series.flatMap { $0.points.map(\.x) }).sorted() }

  /// The picture: an `svg` element with a text alternative.
  public var svg: String {
    let figures = series.flatMap { $0.points.map(\.y) }
    var plot: Plot
    switch style {
    case .lines:
      plot = Plot(horizontal: Axis(numbers, ticks: 6, isWhole: true), vertical: Axis(figures, ticks: 5))
      for (index, series) in series.enumerated() { plot.line(series.points.map { ($0.x, $0.y) }, series: index) }
    case .stackedBars:
      let sums = numbers.map { number in values(at: number).reduce(0) { $0 + ($1 ?? 0) } }
      plot = Plot(
        horizontal: Axis(numbers + [(numbers.first ?? 1) - 0.5, (numbers.last ?? 1) + 0.5], ticks: 6, isWhole: true),
        vertical: Axis(sums, ticks: 5, includesZero: true))
      for number in numbers {
        var low = 0.0
        for (index, value) in values(at: number).enumerated() {
          guard let value, Axis.canShow(value), value > 0 else { continue }
          plot.bar(number - 0.4...number + 0.4, low...low + value, series: index)
          low += value
        }
      }
    }
    return plot.svg(title: summary, horizontalTitle: axis)
  }

  /// The chart in a sentence, for those who do not see it: each series' first and last figure.
  private var summary: String {
    let parts = series.compactMap { series -> String? in
      let points = series.points.filter { $0.y.isFinite }
      guard let first = points.first, let last = points.last else { return nil }
      return "\(series.name) from \(fixed(first.y, decimals)) to \(fixed(last.y, decimals))"
    }
    return "\(title) by \(axis): \(parts.joined(separator: "; "))"
  }

  private func values(at number: Double) -> [Double?] {
    series.map { series in series.points.first { $0.x == number }?.y }
  }

  /// The table behind the picture: a row a number, with an empty text where a series has no figure.
  public var rows: [[String]] {
    numbers.map { number in
      [fixed(number, 0)] + values(at: number).map { $0.map { $0.isFinite ? fixed($0, decimals) : "" } ?? "" }
    }
  }
}
