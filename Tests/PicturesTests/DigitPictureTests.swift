import Foundation
import Pictures
import Testing

struct DigitPictureTests {
  /// A bold 7 in `size` of light on dark, its box not in the middle.
  private func seven(_ size: Int, top: Double = 0.1, left: Double = 0.3) -> GreyImage {
    var image = GreyImage(rows: size, columns: size + size / 4, filledWith: 12)
    for row in 0..<size {
      for column in 0..<image.columns {
        let (y, x) = (Double(row) / Double(size) - top, Double(column) / Double(size) - left)
        let isBar = (0..<0.1).contains(y) && (0..<0.4).contains(x)
        let isStem = (0..<0.6).contains(y) && abs(x - (0.35 - y * 0.4)) < 0.06
        if isBar || isStem { image.pixels[row * image.columns + column] = 230 }
      }
    }
    return image
  }

  private func centre(_ values: [Float]) -> (down: Float, across: Float) {
    let mass = values.reduce(0, +)
    let sums = values.enumerated().reduce((0, 0) as (Float, Float)) {
      ($0.0 + $1.element * (Float($1.offset / 28) + 0.5), $0.1 + $1.element * (Float($1.offset % 28) + 0.5))
    }
    return (sums.0 / mass, sums.1 / mass)
  }

  private func difference(_ one: [Float], _ other: [Float]) -> Float {
    zip(one, other).reduce(0) { $0 + abs($1.0 - $1.1) } / max(one.reduce(0, +), 1)
  }

  @Test func isCentredAndOfTheUsualSize() throws {
    let values = try DigitPicture.values(of: seven(200), rows: 28, columns: 28)
    let (down, across) = centre(values)
    #expect(abs(down - 14) <= 0.5 && abs(across - 14) <= 0.5)
    let rows = (0..<28).filter { row in values[row * 28..<(row + 1) * 28].contains { $0 > 0 } }
    #expect(rows.count == 20 && values.max() == 1 && values.min() == 0)
  }

  @Test func sizePlaceAndPolarityChangeNothing() throws {
    let usual = try DigitPicture.values(of: seven(280), rows: 28, columns: 28)
    var dark = seven(280)
    dark.pixels = dark.pixels.map { 255 - $0 }
    #expect(difference(usual, try DigitPicture.values(of: dark, rows: 28, columns: 28)) < 1e-4)
    for size in [60, 140, 1000] {
      let other = try DigitPicture.values(of: seven(size, top: 0.3, left: 0.5), rows: 28, columns: 28)
      #expect(difference(usual, other) < 0.2, "\(size)")
    }
  }

  @Test func aPixelOrALineIsSomething() throws {
    var dot = GreyImage(rows: 9, columns: 9, filledWith: 255)
    dot.pixels[40] = 0
    #expect(try DigitPicture.values(of: dot, rows: 28, columns: 28).filter { $0 > 0 }.count == 400)
    var line = GreyImage(rows: 400, columns: 9, filledWith: 255)
    for row in 50..<350 { line.pixels[row * 9 + 4] = 0 }
    let values = try DigitPicture.values(of: line, rows: 28, columns: 28)
    #expect(values.filter { $0 > 0 }.count == 20)
  }

  @Test func nothingIsAnError() {
    for grey in [UInt8(0), 127, 255] {
      let blank = GreyImage(rows: 5, columns: 7, filledWith: grey)
      #expect(throws: PictureError.self) { _ = try DigitPicture.values(of: blank, rows: 28, columns: 28) }
    }
    var faint = GreyImage(rows: 5, columns: 7, filledWith: 200)
    faint.pixels[17] = 190
    #expect(throws: PictureError.self) { _ = try DigitPicture.values(of: faint, rows: 28, columns: 28) }
  }
}
