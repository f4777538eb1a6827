import Console

/// The picture of a chart: its frame, its axes, and what is drawn between them, as SVG.
///
/// Colours come from the page: lines and areas have the classes `s0`, `s1`, …, in the order of the series, and a page says what they look
/// like in light and in dark.
struct Plot {
  /// The picture's own measures; the page gives it its width.
  static let (width, height) = (360.0, 210.0)
  private static let (left, right, top, bottom) = (44.0, 8.0, 8.0, 32.0)

  private let horizontal: Axis
  private let vertical: Axis
  private var elements: [String] = []

  init(horizontal: Axis, vertical: Axis) { (self.horizontal, self.vertical) = (horizontal, vertical) }

  func x(_ value: Double) -> Double { Self.left + horizontal.place(value) * (Self.width - Self.left - Self.right) }

  func y(_ value: Double) -> Double {
    Self.height - Self.bottom - vertical.place(value) * (Self.height - Self.top - Self.bottom)
  }

  /// Draws a line through points of finite numbers; a single one is a dot.
  mutating func line(_ points: [(x: Double, y: Double)], series: Int) {
    let places = points.filter { Axis.canShow($0.x) && Axis.canShow($0.y) }.map {
      "\(fixed(x($0.x), 1)),\(fixed(y($0.y), 1))"
    }
    if places.count == 1, let place = places.first?.split(separator: ",") {
      elements.append("<circle class=\"s\(series)\" cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"3\"/>")
    } else if places.count > 1 {
      elements.append("<polyline class=\"s\(series)\" points=\"\(places.joined(separator: " "))\"/>")
    }
  }

  /// Draws a rectangle between two places of each axis.
  mutating func bar(_ across: ClosedRange<Double>, _ up: ClosedRange<Double>, series: Int) {
    elements.append(
      "<rect class=\"s\(series)\" x=\"\(fixed(x(across.lowerBound), 1))\" y=\"\(fixed(y(up.upperBound), 1))\" "
        + "width=\"\(fixed(x(across.upperBound) - x(across.lowerBound), 1))\" "
        + "height=\"\(fixed(y(up.lowerBound) - y(up.upperBound), 1))\"/>")
  }

  /// Draws a straight line to compare with.
  mutating func guide(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
    elements.append(
      "<line class=\"guide\" x1=\"\(fixed(x(start.x), 1))\" y1=\"\(fixed(y(start.y), 1))\" x2=\"\(fixed(x(end.x), 1))\" "
        + "y2=\"\(fixed(y(end.y), 1))\"/>")
  }

  /// Names a series in the picture itself, in this row from the top.
  mutating func key(_ name: String, row: Int, series: Int) {
    let y = Self.top + 10 + 12 * Double(row)
    elements.append(
      "<line class=\"s\(series)\" x1=\"\(Self.left + 8)\" y1=\"\(y)\" x2=\"\(Self.left + 22)\" y2=\"\(y)\"/>"
        + "<text x=\"\(Self.left + 26)\" y=\"\(y)\" dy=\"3.5\">\(markup(name))</text>")
  }

  /// The picture. `title` is its text for those who do not see it; `horizontalTitle` stands below the axis.
  func svg(title: String, horizontalTitle: String) -> String {
    var frame: [String] = []
    for tick in vertical.ticks {
      let y = fixed(y(tick), 1)
      frame.append(
        "<line class=\"grid\" x1=\"\(Self.left)\" y1=\"\(y)\" x2=\"\(Self.width - Self.right)\" y2=\"\(y)\"/>")
      frame.append(
        "<text x=\"\(Self.left - 5)\" y=\"\(y)\" dy=\"3.5\" text-anchor=\"end\">\(vertical.text(tick))</text>")
    }
    for tick in horizontal.ticks {
      frame.append(
        "<text x=\"\(fixed(x(tick), 1))\" y=\"\(Self.height - Self.bottom + 14)\" text-anchor=\"middle\">\(horizontal.text(tick))</text>"
      )
    }
    frame.append(
      "<text x=\"\(fixed((Self.left + Self.width - Self.right) / 2, 1))\" y=\"\(Self.height - 4)\" text-anchor=\"middle\">"
        + "\(markup(horizontalTitle))</text>")
    return
      "<svg class=\"plot\" viewBox=\"0 0 \(Self.width) \(Self.height)\" role=\"img\" aria-label=\"\(markup(title))\">"
      + "<title>\(markup(title))</title>" + (frame + elements).joined() + "</svg>"
  }
}
