/// An image of grey values.
public struct GreyImage: Sendable {
  /// The height in pixels.
  public let rows: Int
  /// The width in pixels.
  public let columns: Int
  /// The grey values row by row, 0 black to 255 white.
  public var pixels: [UInt8]

  /// An image of these grey values, row by row.
  public init(rows: Int, columns: Int, pixels: [UInt8]) {
    precondition(rows > 0 && columns > 0 && pixels.count == rows * columns, "an image of \(rows)×\(columns)")
    (self.rows, self.columns, self.pixels) = (rows, columns, pixels)
  }

  /// An image of one grey value; rows and columns are 1 to 65,535.
  public init(rows: Int, columns: Int, filledWith value: UInt8) {
    precondition((1...65_535).contains(rows) && (1...65_535).contains(columns), "an image of \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    pixels = Array(repeating: value, count: rows * columns)
  }

  /// Images of 0 to 1, [count, rows, columns], as squares of pixels side by side, `columns` being the square root of the count rounded up.
  ///
  /// - Parameters:
  ///   - scale: the side of the square that a pixel becomes.
  ///   - gap: the pixels between two images, and around all, in a middle grey.
  public init(grid images: [Float], rows: Int, columns: Int, scale: Int, gap: Int) {
    let count = images.count / (rows * columns)
    precondition(count >= 1 && images.count == count * rows * columns, "a grid of \(images.count) pixels")
    let across = Self.across(count)
    let down = (count + across - 1) / across
    self.init(
      rows: down * (rows * scale + gap) + gap, columns: across * (columns * scale + gap) + gap, filledWith: 128)
    for image in 0..<count {
      let top = gap + image / across * (rows * scale + gap)
      let left = gap + image % across * (columns * scale + gap)
      for y in 0..<rows * scale {
        for x in 0..<columns * scale {
          let value = images[(image * rows + y / scale) * columns + x / scale]
          pixels[(top + y) * self.columns + left + x] = UInt8(min(max(value * 255, 0), 255).rounded())
        }
      }
    }
  }

  /// The images side by side in a grid of `count`: its square root, rounded up.
  public static func across(_ count: Int) -> Int {
    var across = 1
    while across * across < count { across += 1 }
    return across
  }
}
