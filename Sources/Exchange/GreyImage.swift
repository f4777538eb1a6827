import CZlib

/// An image of grey values, which is written as a PNG file (W3C, Portable Network Graphics, third edition).
///
/// This file is one of the package's fences around zlib, whose deflate is all that is hard about the format beside ``CRC32``.
public struct GreyImage: Sendable {
  /// The height in pixels.
  public let rows: Int
  /// The width in pixels.
  public let columns: Int
  /// The grey values row by row, 0 black to 255 white.
  public var pixels: [UInt8]

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

  /// The bytes of the PNG file.
  public var png: [UInt8] {
    // Each row begins with the number of its filter, 0 for none.
    var rowBytes: [UInt8] = []
    rowBytes.reserveCapacity(rows * (columns + 1))
    for row in 0..<rows { rowBytes += [0] + pixels[row * columns..<(row + 1) * columns] }
    // Eight bits of grey, deflate, the usual filters, not interlaced.
    let header = Self.word(columns) + Self.word(rows) + [8, 0, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Self.chunk("IHDR", header)
      + Self.chunk("IDAT", Self.deflated(rowBytes)) + Self.chunk("IEND", [])
  }

  /// Length, name, content and CRC-32 of name and content.
  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    return word(content.count) + checked + word(Int(CRC32(of: checked).value))
  }

  private static func word(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }

  /// The bytes as zlib packs them.
  private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(UInt(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(count))
    let status = unsafe compress(&packed, &count, bytes, UInt(bytes.count))
    precondition(status == Z_OK, "zlib: cannot pack \(bytes.count) bytes (\(status))")
    return Array(packed.prefix(Int(count)))
  }
}
