/// An image in colours.
public struct ColourImage: Sendable {
  /// The height in pixels.
  public let rows: Int
  /// The width in pixels.
  public let columns: Int
  /// Red, green and blue of each pixel, row by row, 0 to 255.
  public private(set) var pixels: [UInt8]

  private init(rows: Int, columns: Int, filledWith value: UInt8) {
    precondition((1...65_535).contains(rows) && (1...65_535).contains(columns), "an image of \(rows)×\(columns)")
    (self.rows, self.columns) = (rows, columns)
    pixels = Array(repeating: value, count: 3 * rows * columns)
  }

  /// A heat map over an image: red where `heat` is above 0, blue where it is below, the stronger the larger it is beside the largest of all.
  ///
  /// - Parameters:
  ///   - heat: numbers of any size [rows, columns]; one that is none is no heat, and all 0 leave the image as it is.
  ///   - greys: the image [rows, columns], 0 black to 1 white.
  ///   - scale: the side of the square that a pixel becomes.
  public init(heat: [Float], over greys: [Float], rows: Int, columns: Int, scale: Int) {
    precondition(heat.count == rows * columns && greys.count == heat.count, "a map of \(heat.count) pixels")
    self.init(rows: rows * scale, columns: columns * scale, filledWith: 0)
    let most = heat.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    for y in 0..<self.rows {
      for x in 0..<self.columns {
        let place = y / scale * columns + x / scale
        let grey = min(max(greys[place].isNaN ? 0 : greys[place], 0), 1)
        let part = most > 0 && heat[place].isFinite ? abs(heat[place]) / most : 0
        // Greys are dimmed where there is heat, so that its colour is seen on black and on white.
        let colour = heat[place] < 0 ? Self.cold : Self.hot
        for channel in 0..<3 {
          let value = (1 - part) * (0.12 + 0.68 * grey) + part * colour[channel]
          pixels[3 * (y * self.columns + x) + channel] = UInt8((255 * value).rounded())
        }
      }
    }
  }

  private static let hot: [Float] = [1, 0.22, 0.05]
  private static let cold: [Float] = [0.1, 0.45, 1]

  /// Images of one size in rows of `across`, with `gap` pixels of middle grey between two and around all.
  public init(grid images: [ColourImage], across: Int, gap: Int) {
    let size = (rows: images[0].rows, columns: images[0].columns)
    precondition(images.allSatisfy { $0.rows == size.rows && $0.columns == size.columns }, "images of several sizes")
    let down = (images.count + across - 1) / across
    self.init(
      rows: down * (size.rows + gap) + gap, columns: across * (size.columns + gap) + gap, filledWith: 128)
    for (index, image) in images.enumerated() {
      let (top, left) = (gap + index / across * (size.rows + gap), gap + index % across * (size.columns + gap))
      for y in 0..<size.rows {
        let start = 3 * ((top + y) * columns + left)
        let row = image.pixels[3 * y * size.columns..<3 * (y + 1) * size.columns]
        pixels.replaceSubrange(start..<start + row.count, with: row)
      }
    }
  }
}
