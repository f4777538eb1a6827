// Products with one matrix again and again, as the steps of a recurrent layer have. sgemm lays the matrix out anew for each product, which
// for the few rows of a step takes a third of it.
//
// Legend: a left [m, k] · b right [k, n] · c product [m, n]

/// A matrix laid out for products with it from the right: panels of two vectors of columns, one behind the other, and in a panel row by
/// row.
public struct PackedMatrix {
  /// The number of rows, k.
  public let rows: Int
  /// The number of columns, n.
  public let columns: Int
  private let panels: Buffer<Float>

  /// The columns of a panel.
  fileprivate static let width = 2 * laneCount

  /// Makes the memory for a matrix of `rows` × `columns`, which is then zero.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    panels = Buffer(count: (columns + Self.width - 1) / Self.width * Self.width * rows)
  }

  /// Lays `matrix` out, which has these rows and columns, as it stands or transposed.
  public func pack(_ matrix: Matrix) {
    precondition(matrix.shape == (rows, columns), "a packed \(rows) × \(columns) matrix of one of \(matrix.shape)")
    // From one element to the next in a row, and in a column.
    let (along, down) = matrix.isTransposed ? (matrix.stride, 1) : (1, matrix.stride)
    let source = unsafe UnsafePointer(matrix.elements.base)
    for start in stride(from: 0, to: columns, by: Self.width) {
      let panel = unsafe panels.base + start * rows
      let count = min(Self.width, columns - start)
      if along == 1 {
        for row in 0..<rows {
          unsafe (panel + row * Self.width).update(from: source + row * down + start, count: count)
        }
      } else {
        for column in 0..<count {
          let from = unsafe source + (start + column) * along
          for row in 0..<rows { unsafe panel[row * Self.width + column] = from[row * down] }
        }
      }
    }
  }

  fileprivate func panel(at column: Int) -> UnsafePointer<Float> { unsafe UnsafePointer(panels.base + column * rows) }
}

/// `product = left · right`, or `product += left · right`.
///
/// Shapes: `left` [m, k], `right` [k, n], `product` [m, n] (not transposed). A sum over k is one chain in a register, complete before
/// it is added, so the bits of a row do not depend on the other rows, nor those of a column on the others.
///
/// - Parameters:
///   - left: the left factor, [m, k].
///   - right: the right factor, [k, n].
///   - bias: n floats that are added to every row, or nil.
///   - product: the product, [m, n].
///   - accumulation: whether it is written or added.
public func multiply(
  _ left: Matrix, _ right: PackedMatrix, bias: Buffer<Float>? = nil, into product: Matrix,
  _ accumulation: Accumulation = .replace
) {
  precondition(bias.map { $0.count == right.columns } ?? true, "a bias of another width than the product")
  precondition(
    !product.isTransposed && left.shape.columns == right.rows && product.shape == (left.shape.rows, right.columns),
    "product of \(left.shape) and [\(right.rows), \(right.columns)] into \(product.shape)")
  let count = left.shape.rows
  // From one element of left to the next in a column, and in a row.
  let (down, along) = left.isTransposed ? (1, left.stride) : (left.stride, 1)
  for column in stride(from: 0, to: right.columns, by: PackedMatrix.width) {
    let panel = unsafe right.panel(at: column)
    let columns = min(PackedMatrix.width, right.columns - column)
    let piece = PackedPiece(
      depth: right.rows, down: down, along: along, product: product.stride, columns: columns,
      accumulation: accumulation)
    let added = unsafe bias.map { unsafe UnsafePointer($0.base) + column }
    // The panel stays in the first-level cache while all rows pass over it.
    var row = 0
    while row < count {
      let a = unsafe UnsafePointer(left.elements.base) + row * down
      let c = unsafe product.elements.base + row * product.stride + column
      switch count - row {
      case 6...: unsafe rows(a, panel, added, c, piece, RegisterTile<6>())
      case 5: unsafe rows(a, panel, added, c, piece, RegisterTile<5>())
      case 4: unsafe rows(a, panel, added, c, piece, RegisterTile<4>())
      case 3: unsafe rows(a, panel, added, c, piece, RegisterTile<3>())
      case 2: unsafe rows(a, panel, added, c, piece, RegisterTile<2>())
      default: unsafe rows(a, panel, added, c, piece, RegisterTile<1>())
      }
      row += 6
    }
  }
}

/// The sizes of a piece of a product: strides of left, down a column and along a row, and of the product's rows, and how many columns of
/// the panel there are.
private struct PackedPiece {
  var depth: Int
  var down: Int
  var along: Int
  var product: Int
  var columns: Int
  var accumulation: Accumulation
}

/// Some rows by a panel: with six rows twelve sums, which two loads and six broadcasts feed.
@inline(__always)
private func rows<let count: Int>(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
  _ c: UnsafeMutablePointer<Float>, _ piece: PackedPiece,
  _ zero: RegisterTile<count>
) {
  var sums = zero
  for k in 0..<piece.depth {
    let row = unsafe b + k &* PackedMatrix.width
    unsafe sums.addOuterProduct(a + k &* piece.along, stride: piece.down, row.lanes(0), row.lanes(laneCount))
  }
  if piece.columns == PackedMatrix.width {
    if let bias = unsafe bias { unsafe sums.add(bias.lanes(0), bias.lanes(laneCount)) }
    return unsafe sums.write(to: c, stride: piece.product, piece.accumulation)
  }
  let first = min(piece.columns, laneCount)
  if let bias = unsafe bias {
    unsafe sums.add(
      bias.lanes(0, first: first),
      piece.columns > laneCount ? bias.lanes(laneCount, first: piece.columns - laneCount) : Lanes(repeating: 0))
  }
  for row in 0..<count {
    let target = unsafe c + row &* piece.product
    unsafe write(sums.left[row], to: target, first, piece.accumulation)
    if piece.columns > laneCount {
      unsafe write(sums.right[row], to: target + laneCount, piece.columns - laneCount, piece.accumulation)
    }
  }
}

/// The first `count` lanes to a row's end: a call, because within the kernel it would take registers from its loop.
@inline(never)
private func write(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>, _ count: Int, _ accumulation: Accumulation) {
  for lane in 0..<count { unsafe target[lane] = accumulation == .add ? target[lane] + lanes[lane] : lanes[lane] }
}
