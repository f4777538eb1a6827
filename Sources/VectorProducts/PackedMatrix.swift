internal import CIntrinsics
import Primitives
import Vectors

/// A matrix laid out for products with it from the right: panels of two vectors of columns, one behind the other, and in a panel row by
/// row. The last panel is of one vector if its columns fit, and zero behind them.
///
/// A product leaves its working values in it: two threads must not multiply by one at once.
public struct PackedMatrix {
  /// The number of rows, k.
  public let rows: Int
  /// The number of columns, n.
  public let columns: Int
  /// Whether its elements are pairs of bfloat16, and how its rows are cut (``pack(_:inPairs:part:)``).
  public let isPaired: Bool
  let part: Int
  private let panels: Buffer<Float>
  /// From one row of a matrix that is read where it lies to the next; nil if `panels` are panels.
  private let stride: Int?
  /// Room for the sums of a tile, as they are and transposed, and for those of microbatches that wait.
  let tiles: Buffer<Float>

  /// The columns of a panel.
  static let width = 2 * laneCount

  /// Makes the memory for a matrix of `rows` × `columns`, which is then zero.
  public init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns, isPaired: false, part: max(rows, 1),
      panels: Buffer(count: wholeVectors(columns) * rows), tiles: Buffer(count: ProductTile.room))
  }

  /// Lays `matrix` out, as it stands or transposed. It may be smaller than there is room for.
  ///
  /// - Parameters:
  ///   - matrix: the matrix.
  ///   - isPaired: whether its elements are rounded to bfloat16 and laid out in pairs, for products with another such factor.
  ///   - part: the rows of a microbatch, where products are to be summed in parts.
  /// - Returns: the packed matrix, with as many rows and columns as `matrix` has.
  @discardableResult public func pack(_ matrix: Matrix, inPairs isPaired: Bool = false, part: Int? = nil)
    -> PackedMatrix
  {
    let (depth, columns) = matrix.shape
    precondition(stride == nil, "a matrix that is read where it lies is no room for another")
    precondition(
      wholeVectors(columns) * depth <= panels.count,
      "a packed \(rows) × \(self.columns) matrix of one of [\(depth), \(columns)]")
    let part = max(1, min(part ?? depth, depth))
    unsafe layOutPanels(
      UnsafePointer(matrix.elements.base), stride: matrix.stride, isTransposed: matrix.isTransposed, rows: depth,
      columns: columns, into: panels.base)
    if isPaired {
      for start in Swift.stride(from: 0, to: columns, by: Self.width) {
        unsafe BFloat16Operands.roundPairs(
          panels.base + start * depth, depth: depth, width: wholeVectors(min(Self.width, columns - start)), part: part,
          padding: 0)
      }
    }
    return PackedMatrix(rows: depth, columns: columns, isPaired: isPaired, part: part, panels: panels, tiles: tiles)
  }

  /// Takes `matrix` for products: lays it out as ``pack(_:inPairs:part:)`` does, unless its rows are a few whole vectors. Then products read
  /// it where it lies, as fast. It must stay as it is until the last of them, and the result is not for laying out in. The bits are the same.
  public func packUnlessReadable(_ matrix: Matrix, inPairs isPaired: Bool = false) -> PackedMatrix {
    let (depth, columns) = matrix.shape
    guard !matrix.isTransposed, !isPaired, columns % laneCount == 0, columns <= Self.mostReadable else {
      return pack(matrix, inPairs: isPaired)
    }
    return PackedMatrix(
      rows: depth, columns: columns, isPaired: false, part: max(1, depth), panels: matrix.elements, tiles: tiles,
      stride: matrix.stride)
  }

  /// The columns up to which a matrix is read where it lies. More were not seen to gain, and with 128 an LSTM's step took half a percent longer.
  private static let mostReadable = 64

  private init(
    rows: Int, columns: Int, isPaired: Bool, part: Int, panels: Buffer<Float>, tiles: Buffer<Float>, stride: Int? = nil
  ) {
    self.stride = stride
    self.rows = rows
    self.columns = columns
    self.isPaired = isPaired
    self.part = part
    self.panels = panels
    self.tiles = tiles
  }

  var factor: RightFactor {
    unsafe RightFactor(base: UnsafePointer(panels.base), laidOut: (rows, columns), columns: columns, stride: stride)
  }
}

/// Writes a matrix of `rows` × `columns` in panels (``PackedMatrix``), of which the memory at `source` has rows, or columns if it is
/// transposed, `stride` floats apart.
func layOutPanels(
  _ source: UnsafePointer<Float>, stride: Int, isTransposed: Bool, rows: Int, columns: Int,
  into panels: UnsafeMutablePointer<Float>
) {
  for start in Swift.stride(from: 0, to: columns, by: PackedMatrix.width) {
    let panel = unsafe panels + start * rows
    let here = min(PackedMatrix.width, columns - start)
    let width = wholeVectors(here)
    if isTransposed {
      for vector in Swift.stride(from: 0, to: here, by: laneCount) {
        unsafe transpose(
          source + (start + vector) * stride, stride: stride, rows: min(laneCount, here - vector), columns: rows,
          into: panel + vector, stride: width)
      }
    } else if here == PackedMatrix.width {
      for row in 0..<rows {
        let from = unsafe source + row * stride + start
        unsafe panel.store(from.lanes(0), row * width)
        unsafe panel.store(from.lanes(laneCount), row * width + laneCount)
      }
    } else {
      let last = here - (width - laneCount)
      for row in 0..<rows {
        let (from, to) = unsafe (source + row * stride + start, panel + row * width)
        if width > laneCount { unsafe to.store(from.lanes(0), 0) }
        unsafe to.store(from.lanes(width - laneCount, first: last), width - laneCount)
      }
    }
  }
}

/// Writes `rows` rows of `columns` floats as `columns` rows of one vector, zero behind `rows` floats.
private func transpose(
  _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>,
  stride targetStride: Int
) {
  forEachVector(of: columns) { at, width in
    unsafe transposeSquare(
      source + at, stride: stride, rows: rows, columns: width, into: target + at * targetStride, stride: targetStride)
  }
}

/// Writes `rows` rows of `columns` floats, both at most ``laneCount``, as `columns` vectors, zero behind `rows` floats.
@inline(__always) func transposeSquare(
  _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>,
  stride targetStride: Int
) {
  #if LOCKSTEP_LANES_16
    unsafe lockstep_transpose16(source, stride, rows, columns, target, targetStride)
  #else
    unsafe lockstep_transpose8(source, stride, rows, columns, target, targetStride)
  #endif
}
