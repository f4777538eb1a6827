/// The extents of an image, channels last: `[rows, columns, channels]`.
public struct ImageExtents: Hashable, Sendable {
  /// The height in pixels.
  public var rows: Int
  /// The width in pixels.
  public var columns: Int
  /// The numbers of a pixel.
  public var channels: Int

  /// An image of these extents, each at least 1.
  public init(rows: Int, columns: Int, channels: Int) {
    precondition(rows >= 1 && columns >= 1 && channels >= 1, "an image of \(rows) by \(columns) by \(channels)")
    (self.rows, self.columns, self.channels) = (rows, columns, channels)
  }

  /// The number of pixels.
  public var pixels: Int { rows * columns }
  /// The number of floats.
  public var count: Int { pixels * channels }
}
