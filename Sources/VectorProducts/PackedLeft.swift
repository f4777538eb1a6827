import Primitives
import Vectors

/// A matrix laid out for products with it from the left: tiles of rows, one behind the other, and in a tile column by column.
///
/// A transposed matrix is worth laying out where many columns are to be multiplied by it: its columns, which are rows of its memory, may lie
/// a power of two apart and fall into the same few places of a cache. One that stands as it is is read well where it lies.
public struct PackedLeft {
  /// The number of rows, m.
  public let rows: Int
  /// The number of columns, k.
  public let columns: Int
  /// See ``PackedMatrix``'s.
  let isPaired: Bool
  let part: Int
  private let tiles: Buffer<Float>

  /// Makes the memory for a matrix of `rows` × `columns`.
  public init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns, isPaired: false, part: max(columns, 1),
      tiles: Buffer(count: rows * columns + laneCount))
  }

  private init(rows: Int, columns: Int, isPaired: Bool, part: Int, tiles: Buffer<Float>) {
    self.rows = rows
    self.columns = columns
    self.isPaired = isPaired
    self.part = part
    self.tiles = tiles
  }

  /// Lays `matrix` out, as it stands or transposed. It may be smaller than there is room for.
  ///
  /// - Parameters:
  ///   - matrix: the matrix.
  ///   - isPaired: whether its elements are rounded to bfloat16 and laid out in pairs, for products with another such factor.
  ///   - part: the columns of a microbatch, where products are to be summed in parts.
  /// - Returns: the packed matrix, with as many rows and columns as `matrix` has.
  @discardableResult public func pack(_ matrix: Matrix, inPairs isPaired: Bool = false, part: Int? = nil)
    -> PackedLeft
  {
    let (rows, depth) = matrix.shape
    precondition(
      rows * depth + laneCount <= tiles.count, "a packed \(self.rows) × \(columns) matrix of one of [\(rows), \(depth)]"
    )
    let part = max(1, min(part ?? depth, depth))
    let source = unsafe UnsafePointer(matrix.elements.base)
    // Whole vectors are written: what comes behind a column is overwritten by the next. So pairs are made when all is there.
    ProductTile.forEach(of: rows) { first, count in
      let tile = unsafe tiles.base + first * depth
      if matrix.isTransposed {
        for k in 0..<depth { unsafe tile.store(source.lanes(k * matrix.stride + first, first: count), k * count) }
      } else {
        forEachVector(of: depth) { k, width in
          unsafe transposeSquare(
            source + first * matrix.stride + k, stride: matrix.stride, rows: count, columns: width,
            into: tile + k * count, stride: count)
        }
      }
    }
    if isPaired {
      ProductTile.forEach(of: rows) { first, count in
        unsafe BFloat16Operands.roundPairs(
          tiles.base + first * depth, depth: depth, width: count, part: part, padding: -0.0)
      }
    }
    return PackedLeft(rows: rows, columns: depth, isPaired: isPaired, part: part, tiles: tiles)
  }

  var base: UnsafePointer<Float> { unsafe UnsafePointer(tiles.base) }
}
