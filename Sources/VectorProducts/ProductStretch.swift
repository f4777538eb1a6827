import Primitives

/// A stretch of the sums of a product, for factors that are gone through some rows at a time: what is worked out of these rows and read
/// again then stays in a near cache. The bits are those of the whole product, for each sum goes on where the last stretch left it.
public struct ProductStretch {
  /// Where sums wait for the next stretch.
  let sums: ProductSums
  /// Whether sums begin, and whether they end, with it.
  let isFirst: Bool
  let isLast: Bool

  /// A stretch of products that begin, or go on, in `sums`, and end with it or not.
  public init(_ sums: ProductSums, isFirst: Bool, isLast: Bool) {
    self.sums = sums
    self.isFirst = isFirst
    self.isLast = isLast
  }
}

/// Room for the sums of a product between two stretches.
public struct ProductSums {
  private let tiles: Buffer<Float>

  /// Makes the room for a product of up to `rows` × `columns`.
  public init(rows: Int, columns: Int) {
    tiles = Buffer(count: Self.count(rows: rows, columns: columns))
  }

  private static func count(rows: Int, columns: Int) -> Int {
    let panels = (columns + PackedMatrix.width - 1) / PackedMatrix.width
    return panels * ProductTile.number(of: rows) * ProductTile.count
  }

  func holds(rows: Int, columns: Int) -> Bool { Self.count(rows: rows, columns: columns) <= tiles.count }

  /// The sums of the panel that begins at `column` of a product of `rows` rows, tile behind tile.
  func panel(at column: Int, rows: Int) -> UnsafeMutablePointer<Float> {
    unsafe tiles.base + Self.count(rows: rows, columns: column)
  }
}
