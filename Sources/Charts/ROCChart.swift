import Console
import Glibc

/// Receiver operating characteristics with logarithmic axes, which show what is found with few false positives (Carlini et al. 2022, fig. 1).
public struct ROCChart: Sendable {
  /// A curve with its name.
  public struct Curve: Sendable {
    /// The name in the legend.
    public var name: String
    /// The rates of false and of true positives, 0 to 1, from the strictest threshold on.
    public var points: [Chart.Point]

    /// A curve of this name, whose points have false positives as x and true ones as y.
    public init(_ name: String, _ points: [Chart.Point]) { (self.name, self.points) = (name, points) }
  }

  /// The curves, from the first colour on.
  public var curves: [Curve]
  /// The powers of ten of an axis, from 10^−decades to 1.
  public var decades: Int

  /// A chart of these curves.
  public init(_ curves: [Curve], decades: Int = 3) { (self.curves, self.decades) = (curves, max(1, decades)) }

  /// The picture: an `svg` element with a text alternative.
  public var svg: String {
    let axis = Axis(decades: decades)
    var plot = Plot(horizontal: axis, vertical: axis)
    let least = axis.range.lowerBound
    plot.guide(from: (least, least), to: (0, 0))
    for (index, curve) in curves.enumerated() {
      // No more points than can be told apart.
      var places: [(x: Double, y: Double)] = []
      for point in curve.points {
        let place = (x: place(point.x), y: place(point.y))
        if let last = places.last, abs(last.x - place.x) < 0.005, abs(last.y - place.y) < 0.005 { continue }
        places.append(place)
      }
      places.append((0, 0))
      plot.line(places, series: index)
      plot.key(curve.name, row: index, series: index)
    }
    return plot.svg(
      title: summary, horizontalTitle: "part of the others taken for members; upwards: part of the members found")
  }

  /// The picture as a file of its own, with the colours that a page gives it.
  public var file: String {
    let colours = ["#115ead", "#b3400f", "#1d7a3f", "#7b3fa0"].enumerated().map { ".s\($0){stroke:\($1)}" }.joined()
    let style =
      "<style>.plot{background:#fff}.plot text{font:9px sans-serif;fill:#444}.plot .grid{stroke:#ddd}.plot .guide{stroke:#999;"
      + "stroke-dasharray:3 3}.plot polyline{fill:none;stroke-width:1.5}\(colours)</style>"
    return svg.replacing("<svg class", with: "<svg xmlns=\"http://www.w3.org/2000/svg\" class", maxReplacements: 1)
      .replacing("</title>", with: "</title>\(style)", maxReplacements: 1) + "\n"
  }

  /// The place of a rate on its axis; what is below the axis stands at its beginning.
  private func place(_ rate: Double) -> Double { max(-Double(decades), rate > 0 ? log10(rate) : -Double(decades)) }

  /// The chart in a sentence, for those who do not see it.
  private var summary: String {
    let parts = curves.map { curve in
      let found = curve.points.last { $0.x <= 0.01 }?.y ?? 0
      return "\(curve.name) finds \(percent(found)) of the members with 1 % of the others"
    }
    return
      "Members found, by the part of the others taken for members, both logarithmic: \(parts.joined(separator: "; "))"
  }
}
