import Charts
import Foundation
import FoundationXML
import Testing

struct ChartTests {
  /// The elements of an SVG picture by name, which must be well-formed.
  private func elements(_ svg: String) throws -> [String: [[String: String]]] {
    final class Reader: NSObject, XMLParserDelegate {
      var found: [String: [[String: String]]] = [:]
      func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
      ) { found[name, default: []].append(attributes) }
    }
    let (parser, reader) = (XMLParser(data: Data(svg.utf8)), Reader())
    parser.delegate = reader
    try #require(parser.parse(), "\(svg)")
    return reader.found
  }

  /// The places of a line's points.
  private func places(_ line: [String: String]) -> [(x: Double, y: Double)] {
    (line["points"] ?? "").split(separator: " ").map {
      let pair = $0.split(separator: ",").compactMap { Double($0) }
      return (pair[0], pair[1])
    }
  }

  private let chart = Chart(
    "Loss", axis: "epoch",
    [.init("training", [.init(1, 2), .init(2, 1), .init(3, 0.5)]), .init("test", [.init(2, 1), .init(3, .nan)])])

  @Test func linesAreDrawnToScale() throws {
    let found = try elements(chart.svg)
    let line = places(try #require(found["polyline"]?.first))
    #expect(line.count == 3)
    #expect(abs((line[1].x - line[0].x) - (line[2].x - line[1].x)) < 0.2)
    // From 2 to 1 it falls twice as far as from 1 to 0.5; downwards is more in SVG.
    #expect(abs((line[1].y - line[0].y) - 2 * (line[2].y - line[1].y)) < 0.3)
    // A single point is no line.
    #expect(found["circle"]?.count == 1)
    #expect(found["svg"]?.first?["role"] == "img")
    #expect(
      found["svg"]?.first?["aria-label"] == "Loss by epoch: training from 2.0000 to 0.5000; test from 1.0000 to 1.0000")
  }

  @Test func rowsHaveEveryFigure() {
    #expect(chart.rows == [["1", "2.0000", ""], ["2", "1.0000", "1.0000"], ["3", "0.5000", ""]])
  }

  @Test func barsStandOnOneAnother() throws {
    let bars = Chart(
      "Seconds", axis: "epoch",
      [.init("compute", [.init(1, 3), .init(2, 1)]), .init("waiting", [.init(1, 1), .init(2, 1)])],
      style: .stackedBars)
    let found = try #require(try elements(bars.svg)["rect"])
    let numbers = found.map { bar in ["x", "y", "width", "height"].map { Double(bar[$0] ?? "") ?? .nan } }
    try #require(numbers.count == 4)
    #expect(abs(numbers[0][3] - 3 * numbers[1][3]) < 0.3)
    #expect(abs(numbers[1][1] + numbers[1][3] - numbers[0][1]) < 0.2)
    #expect(abs(numbers[2][1] + numbers[2][3] - (numbers[0][1] + numbers[0][3])) < 0.2)
  }

  @Test(arguments: [
    [], [0], [1e-7, 1e-7], [.nan, .infinity], [-5, -5], [1e18, 2e18],
    [.greatestFiniteMagnitude, -.greatestFiniteMagnitude],
    [.leastNonzeroMagnitude, 2 * .leastNonzeroMagnitude], [1_234_567, 1_234_568], [0.1, 0.1 + 1e-17], [1e-12, 1],
  ]) func anyFiguresMakeAPicture(values: [Double]) throws {
    for style in [Chart.Style.lines, .stackedBars] {
      let points = values.enumerated().map { Chart.Point(Double($0.offset + 1), $0.element) }
      let chart = Chart("any", axis: "epoch", [.init("values", points)], style: style)
      let found = try elements(chart.svg)
      #expect((found["text"]?.count ?? 0) < 40)
      let numbers = found.values.joined().flatMap {
        $0.filter { ["x", "y", "cx", "cy", "x1", "y1"].contains($0.key) }.map(\.value)
      }
      #expect(numbers.allSatisfy { Double($0)?.isFinite == true })
      _ = chart.rows
    }
  }

  @Test func foreignTextStaysText() throws {
    let name = "<script>alert(\"&'\")</script>"
    #expect(markup(name) == "&lt;script&gt;alert(&quot;&amp;&#39;&quot;)&lt;/script&gt;")
    let found = try elements(Chart(name, axis: name, [.init(name, [.init(1, 1)])]).svg)
    #expect(found["script"] == nil)
    #expect(found["svg"]?.first?["aria-label"]?.hasPrefix(name) == true)
  }

  @Test func reliabilityBarsReachTheirAccuracy() throws {
    let chart = ReliabilityChart([
      .init(samples: 0, accuracy: 0, confidence: 0), .init(samples: 10, accuracy: 0.5, confidence: 0.75),
      .init(samples: 30, accuracy: 1, confidence: 0.95), .init(samples: 1, accuracy: 0, confidence: 0.99),
    ])
    let bars = try #require(try elements(chart.svg)["rect"])
    #expect(bars.count == 3)
    let heights = bars.map { Double($0["height"] ?? "") ?? .nan }
    #expect(abs(heights[1] - 2 * heights[0]) < 0.3)
    #expect(chart.rows.first == ["0.25–0.50", "10", "0.7500", "0.5000"])
  }
}
