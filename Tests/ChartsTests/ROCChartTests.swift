import Charts
import Foundation
import FoundationXML
import Testing

/// Curves on logarithmic axes.
@Suite struct ROCChartTests {
  private static let chart = ROCChart(
    [
      .init("loss & more", [.init(0, 0), .init(0, 0.05), .init(0.01, 0.1), .init(0.1, 0.5), .init(1, 1)]),
      .init("guessing", (0...100_000).map { .init(Double($0) / 100_000, Double($0) / 100_000) }),
    ], decades: 2)

  /// The frame is 360 by 210, with the axes from (44, 178) to (352, 8): a decade is 154 across and 85 up.
  @Test func placesAreLogarithms() throws {
    let svg = Self.chart.svg
    for tick in ["0.01", "0.1", "1"] { #expect(svg.components(separatedBy: ">\(tick)</text>").count == 3, "\(tick)") }
    #expect(svg.contains("points=\"44.0,178.0 44.0,118.6 44.0,93.0 198.0,33.6 352.0,8.0 352.0,8.0\""), "\(svg)")
    #expect(svg.contains(">loss &amp; more</text>"))
    // The line of a hundred thousand points is drawn with a few hundred.
    #expect(svg.utf8.count < 20_000)
    #expect(svg.contains("loss &amp; more finds 10 % of the members with 1 % of the others"))
  }

  @Test func aFileIsWholeAndHasItsColours() throws {
    let file = Self.chart.file
    #expect(file.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\"") && file.contains(".s1{stroke:"))
    #expect(XMLParser(data: Data(file.utf8)).parse())
    #expect(ROCChart([], decades: 0).file.hasSuffix("</svg>\n"))
  }
}
