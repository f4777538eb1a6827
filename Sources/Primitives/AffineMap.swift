/// The place in a source image for each pixel of a destination:
///
///     row    = rowByRow · y + rowByColumn · x + rowOffset
///     column = columnByRow · y + columnByColumn · x + columnOffset
public struct AffineMap: Hashable, Sendable {
  /// The source's row, by the destination's row y and column x.
  public var rowByRow, rowByColumn, rowOffset: Double
  /// The source's column, likewise.
  public var columnByRow, columnByColumn, columnOffset: Double

  /// Every pixel in its own place.
  public static let identity = AffineMap(
    row: (1, 0, 0), column: (0, 1, 0))

  /// The map with these coefficients of y, of x, and offsets.
  public init(row: (Double, Double, Double), column: (Double, Double, Double)) {
    (rowByRow, rowByColumn, rowOffset) = row
    (columnByRow, columnByColumn, columnOffset) = column
  }
}
