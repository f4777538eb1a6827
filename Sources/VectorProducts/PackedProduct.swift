// Products of every size but the largest: one family of kernels, in which sums stay in registers from the first product to the last.
// sgemm lays both factors out anew for each product, and rounds a long sum block by block; here one factor is laid out, as often as its
// user likes, the other is read where it lies, and what follows a product is done before it leaves the first-level cache.
//
// Legend: a left [m, k] · b right [k, n] · c product [m, n]

import Primitives
import Vectors

/// A function of a product's elements, after the bias.
public enum ProductActivation: Sendable {
  /// x itself.
  case none
  /// max(x, 0).
  case relu
  /// GELU in its approximation by tanh.
  case gelu
  /// The hyperbolic tangent.
  case tanh
  /// The logistic function.
  case sigmoid
}

/// `product = activation(left · right + bias) + residual`, or `product += left · right + bias`.
///
/// Shapes: `left` [m, k], `right` [k, n], `product` [m, n]. All but `right` are read and written where they lie, as they stand or
/// transposed. A sum over k is one chain of multiply-adds in a register, from the first to the last, complete before anything is added to
/// it: the bits of an element follow from its row of `left` and its column of `right` alone, whatever the other rows and columns, the
/// strides, and the processor's vectors. |error| ≤ γₖ · Σ |a| · |b| with γₖ = k·2⁻²⁴ / (1 − k·2⁻²⁴) (Higham 2002, §3.1), and a rounding for
/// each of bias, residual and addition.
///
/// - Parameters:
///   - left: the left factor, [m, k]. Where `right` is in pairs of bfloat16 it must be laid out in pairs, too, in the same parts.
///   - right: the right factor, [k, n].
///   - bias: a float for each element of a row of the product's memory, or nil: n floats, or m where the product is transposed.
///   - activation: applied to the sum with its bias.
///   - residual: [m, n], transposed if the product is; added last, and may be the product's own memory. Not with `.add`, which no activation
///     goes with either.
///   - product: the product, [m, n].
///   - accumulation: whether it is written or added.
///   - part: the products of a microbatch, by which k is cut; the last part may be shorter. Each part's sum is complete before the parts' are
///     added, as the nodes of a binary tree over their numbers. nil for one part.
///   - stretch: where k is longer than the factors: which of its stretches they are. The product is written by the last one.
public func multiply(
  _ left: Matrix, _ right: PackedMatrix, bias: Buffer<Float>? = nil, activation: ProductActivation = .none,
  residual: Matrix? = nil, into product: Matrix, _ accumulation: Accumulation = .replace, part: Int? = nil,
  stretch: ProductStretch? = nil
) {
  let factor = unsafe LeftFactor(
    base: left.elements.base, rows: left.shape.rows, depth: left.shape.columns,
    down: left.isTransposed ? 1 : left.stride, along: left.isTransposed ? left.stride : 1, isPacked: false,
    isPaired: false, part: nil)
  multiply(
    factor, right, bias: bias, activation: activation, residual: residual, into: product, accumulation, part: part,
    stretch: stretch)
}

/// The same with a left factor that was laid out, and the same bits.
public func multiply(
  _ left: PackedLeft, _ right: PackedMatrix, bias: Buffer<Float>? = nil, activation: ProductActivation = .none,
  residual: Matrix? = nil, into product: Matrix, _ accumulation: Accumulation = .replace, part: Int? = nil,
  stretch: ProductStretch? = nil
) {
  let factor = unsafe LeftFactor(
    base: left.base, rows: left.rows, depth: left.columns, down: 1, along: 1, isPacked: true, isPaired: left.isPaired,
    part: left.part)
  multiply(
    factor, right, bias: bias, activation: activation, residual: residual, into: product, accumulation, part: part,
    stretch: stretch)
}

/// `product = left · right + bias` with some of left's columns only: right has a row for each of them. Of a left factor that is finite, these are
/// the bits of the product with all columns, where right would have zeros in the others.
///
/// - Parameters:
///   - left: the left factor, [m, k], as it stands.
///   - columns: the columns of `left` to multiply.
///   - right: the right factor, [``NonzeroColumns/count``, n], not in pairs.
///   - bias: as of the product of all columns.
///   - product: the product, [m, n].
public func multiply(
  _ left: Matrix, columns: NonzeroColumns, _ right: PackedMatrix, bias: Buffer<Float>? = nil, into product: Matrix
) {
  precondition(
    !left.isTransposed && left.shape.columns == columns.columns && !right.isPaired,
    "some columns of a left factor that is transposed or has others, or of pairs")
  let chosen = unsafe ChosenColumns(places: UnsafePointer(columns.places.base))
  unsafe withUnsafePointer(to: chosen) {
    let factor = unsafe LeftFactor(
      base: left.elements.base, rows: left.shape.rows, depth: columns.count, down: left.stride, along: 1,
      isPacked: false, isPaired: false, part: nil, chosen: $0)
    multiply(
      factor, right, bias: bias, activation: .none, residual: nil, into: product, .replace, part: nil, stretch: nil)
  }
}

/// `product = left · right`, or `product += left · right`, of which right has some columns only; the others of the product are 0, or stay. Of a
/// left factor that is finite, these are the bits of the product where right has zeros in the others.
///
/// - Parameters:
///   - left: the left factor, [m, k].
///   - right: the right factor, [k, ``NonzeroColumns/count``], not in pairs.
///   - columns: the columns of the product that these are.
///   - product: m rows of ``NonzeroColumns/columns``.
///   - accumulation: whether it is written or added.
///   - part: as of the product of all columns.
///   - block: room for some rows of the columns (``NonzeroColumns/blockRoom``).
public func multiply(
  _ left: Matrix, _ right: PackedMatrix, columns: NonzeroColumns, into product: Buffer<Float>,
  _ accumulation: Accumulation = .replace, part: Int? = nil, block: Buffer<Float>
) {
  let (m, k) = left.shape
  let (n, width) = (columns.count, columns.columns)
  precondition(
    k == right.rows && n == right.columns && !right.isPaired && product.count == m * width
      && block.count >= min(m, NonzeroColumns.blockRows) * n,
    "product of [\(m), \(k)] and \(n) of \(width) columns into \(product.count) floats")
  let part = max(1, min(part ?? k, k))
  precondition((k - 1) / part < 1 << ProductTile.mostWaiting, "\(k) products in parts of \(part)")
  for first in stride(from: 0, to: m, by: NonzeroColumns.blockRows) {
    let rows = first..<min(first + NonzeroColumns.blockRows, m)
    let (down, along) = left.isTransposed ? (1, left.stride) : (left.stride, 1)
    let factor = unsafe LeftFactor(
      base: UnsafePointer(left.elements.base) + first * down, rows: rows.count, depth: k, down: down, along: along,
      isPacked: false, isPaired: false, part: nil)
    let target = product[rows.lowerBound * width..<rows.upperBound * width]
    let chosen = unsafe ChosenColumns(
      places: UnsafePointer(columns.places.base), target: target.base, stride: width)
    unsafe withUnsafePointer(to: chosen) {
      let piece = unsafe ProductPiece(
        depth: k, part: part, chosen: $0, product: block.base, tiles: right.tiles.base)
      multiply(factor, right.factor, piece, unsafe ProductEnding(stride: n), nil, SingleOperands.self)
    }
    columns.scatter(block.prefix(rows.count * n), into: target, accumulation)
  }
}

private func multiply(
  _ left: LeftFactor, _ right: PackedMatrix, bias: Buffer<Float>?, activation: ProductActivation, residual: Matrix?,
  into product: Matrix, _ accumulation: Accumulation, part: Int?, stretch: ProductStretch?
) {
  let (m, k) = (left.rows, left.depth)
  precondition(
    k == right.rows && product.shape == (m, right.columns),
    "product of [\(m), \(k)] and [\(right.rows), \(right.columns)] into \(product.shape)")
  precondition(bias.map { $0.count == (product.isTransposed ? m : right.columns) } ?? true, "a bias of another width")
  precondition(
    residual.map { $0.shape == product.shape && $0.isTransposed == product.isTransposed } ?? true,
    "a residual of another shape than the product")
  precondition(
    accumulation == .replace || (activation == .none && residual == nil), "an activation of a sum that is added to")
  let part = max(1, min(part ?? k, k))
  precondition((k - 1) / part < 1 << ProductTile.mostWaiting, "\(k) products in parts of \(part)")
  precondition(
    stretch.map { part == max(k, 1) && $0.sums.holds(rows: m, columns: right.columns) } ?? true,
    "a stretch of [\(m), \(right.columns)] sums in parts, or of more sums than there is room for")
  precondition(left.isPaired == right.isPaired, "a product of pairs of bfloat16 and of floats")
  var (depth, partDepth) = (k, part)
  if right.isPaired {
    precondition(left.part == part && right.part == part, "factors laid out in parts of \(right.part), not \(part)")
    depth = BFloat16Operands.pairs(k, part: part)
    partDepth = BFloat16Operands.pairs(part, part: part)
  }
  let addend = accumulation == .add ? product : residual
  let ending = unsafe ProductEnding(
    bias: bias.map { unsafe UnsafePointer($0.base) }, activation: activation,
    addend: addend.map { unsafe UnsafePointer($0.elements.base) }, addendStride: addend?.stride ?? 0,
    stride: product.stride, isTransposed: product.isTransposed)
  let piece = unsafe ProductPiece(
    depth: depth, part: partDepth, product: product.elements.base, tiles: right.tiles.base,
    isContinued: !(stretch?.isFirst ?? true), isWritten: stretch?.isLast ?? true)
  if right.isPaired {
    multiply(left, right.factor, piece, ending, stretch?.sums, BFloat16Operands.self)
  } else {
    multiply(left, right.factor, piece, ending, stretch?.sums, SingleOperands.self)
  }
}

/// The product of factors that fit, whatever is said of it in `piece` and `ending`.
func multiply<Operands: ProductOperands>(
  _ left: LeftFactor, _ right: RightFactor, _ piece: ProductPiece, _ ending: ProductEnding, _ sums: ProductSums?,
  _ operands: Operands.Type
) {
  let (m, n) = (left.rows, right.columns)
  var piece = piece
  piece.down = left.down
  piece.along = left.along
  if let chosen = unsafe left.chosen { unsafe piece.chosen = chosen }
  // A tile's rows lie apart, and no processor foresees them. Stores to rows in no near cache would wait for one another.
  // So these rows are asked for while the tile is summed, some before each part.
  let isFar = unsafe piece.chosen?.pointee.target != nil || m * n >= farProduct
  let isAsked = piece.isWritten && piece.depth >= 32 && ending.isPlain && isFar
  let parts = max(1, (piece.depth + piece.part - 1) / max(piece.part, 1))
  piece.asks = isAsked ? (ProductTile.mostRows + parts - 1) / parts : 0
  // So many tiles of left stay in the second-level cache while all panels pass over them.
  let tiles = ProductTile.number(of: m)
  let block = max(1, leftFloats / max(left.depth, 1) / ProductTile.mostRows)
  for first in stride(from: 0, to: tiles, by: block) {
    for column in stride(from: 0, to: n, by: PackedMatrix.width) {
      piece.column = column
      piece.columns = min(PackedMatrix.width, n - column)
      unsafe piece.sums = sums.map { unsafe $0.panel(at: column, rows: m) }
      let (panel, stride) = unsafe right.panel(at: column)
      piece.across = stride
      unsafe multiplyPanel(left, first..<min(first + block, tiles), panel, piece, ending, operands)
    }
  }
}

/// The left factor of a product, where it lies or laid out.
@safe struct LeftFactor {
  var base: UnsafePointer<Float>
  var rows: Int
  var depth: Int
  /// From one element to the next in a column, and in a row; of no use if it is laid out.
  var down: Int
  var along: Int
  var isPacked: Bool
  var isPaired: Bool
  /// How its columns are cut, if it is laid out.
  var part: Int?
  /// The columns to multiply, as many as its depth, if not all are.
  var chosen: UnsafePointer<ChosenColumns>? = nil
}

extension LeftFactor {
  /// `rows` rows of `depth` floats, `stride` apart, where they lie.
  init(_ base: UnsafePointer<Float>, rows: Int, depth: Int, stride: Int) {
    unsafe self.init(
      base: base, rows: rows, depth: depth, down: stride, along: 1, isPacked: false, isPaired: false, part: nil)
  }

  /// `depth` rows of `rows` floats, `stride` apart, read transposed where they lie.
  init(_ base: UnsafePointer<Float>, transposed rows: Int, depth: Int, stride: Int) {
    unsafe self.init(
      base: base, rows: rows, depth: depth, down: 1, along: stride, isPacked: false, isPaired: false, part: nil)
  }
}

/// The right factor of a product: some rows and the first columns of a matrix that was laid out.
@safe struct RightFactor {
  var base: UnsafePointer<Float>
  /// The rows and columns that were laid out.
  var laidOut: (rows: Int, columns: Int)
  /// The first row, and the number of columns.
  var first = 0
  var columns: Int
  /// From one row to the next, where it is read as it lies and not laid out.
  var stride: Int? = nil

  /// The panel that begins at `column`, and the floats from one of its rows to the next.
  func panel(at column: Int) -> (base: UnsafePointer<Float>, stride: Int) {
    if let stride { return unsafe (base + (first * stride + column), stride) }
    let width = wholeVectors(min(PackedMatrix.width, laidOut.columns - column))
    return unsafe (base + (column * laidOut.rows + first * width), width)
  }
}

/// The floats of left's rows that stay in the second-level cache.
private let leftFloats = 1 << 16

/// The floats of a product, 256 KB, from which on it is taken to be in no near cache.
private let farProduct = 1 << 16

/// The sizes of tiles, and what room they need.
enum ProductTile {
  /// The most rows of a tile: two vectors of each are sums in registers, beside two vectors of the panel and a factor. Of sixteen registers
  /// six rows leave one for what the compiler needs besides, which is too few.
  #if LOCKSTEP_LANES_16
    static let mostRows = 12
  #else
    static let mostRows = 5
  #endif
  /// The sums of parts that may wait for another one: one for each bit of a part's number.
  static let mostWaiting = 5
  /// The floats of a tile's sums.
  static let count = 2 * laneCount * mostRows
  /// The floats that a product works in: a tile, the same transposed, and tiles that wait.
  static let room = count + 2 * laneCount * laneCount + mostWaiting * count

  /// The number of tiles of `rows` rows.
  static func number(of rows: Int) -> Int { (rows + mostRows - 1) / mostRows }

  /// A tile's first row, and its number of rows: tiles are of about the same size, the larger ones first.
  static func rows(of tile: Int, _ rows: Int) -> (first: Int, count: Int) {
    let (least, larger) = rows.quotientAndRemainder(dividingBy: number(of: rows))
    return (tile * least + min(tile, larger), least + (tile < larger ? 1 : 0))
  }

  /// Calls `body` with each tile's first row and number of rows.
  static func forEach(of rows: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
    for tile in 0..<number(of: rows) {
      let (first, count) = Self.rows(of: tile, rows)
      body(first, count)
    }
  }
}

/// What is done to a product's sums.
@safe struct ProductEnding {
  var bias: UnsafePointer<Float>? = nil
  var activation = ProductActivation.none
  /// What is added last, the product's own memory or another's, and the floats from one of its rows to the next.
  var addend: UnsafePointer<Float>? = nil
  var addendStride = 0
  /// From a row of the product's memory to the next.
  var stride: Int
  var isTransposed = false
}

/// Rows of left by a panel.
@safe struct ProductPiece {
  /// k, and how it is cut.
  var depth: Int
  var part: Int
  /// From one element of left to the next in a column, and in a row, and from one row of the panel to the next.
  var down = 0
  var along = 0
  var across = 0
  /// Which columns there are, if not all. Behind a pointer, for a piece is copied for each tile.
  var chosen: UnsafePointer<ChosenColumns>? = nil
  /// The place of the piece in the product, and its columns.
  var row = 0
  var column = 0
  var columns = 0
  var product: UnsafeMutablePointer<Float>
  var tiles: UnsafeMutablePointer<Float>
  /// The rows of a tile whose memory is asked for before each part of its sums; 0 if none is.
  var asks = 0
  /// Where the tile's sums wait between two stretches of k, whether some do, and whether this stretch is the last.
  var sums: UnsafeMutablePointer<Float>? = nil
  var isContinued = false
  var isWritten = true
}

/// The columns that a product with some of them takes or gives.
@safe struct ChosenColumns {
  var places: UnsafePointer<Int32>
  /// Where the product is copied to, which is asked for in the place of its own memory; nil if the columns are left's.
  var target: UnsafeMutablePointer<Float>? = nil
  /// From one row of the target to the next.
  var stride = 0
}

/// Some tiles by one panel.
private func multiplyPanel<Operands: ProductOperands>(
  _ left: LeftFactor, _ tiles: Range<Int>, _ b: UnsafePointer<Float>, _ piece: ProductPiece, _ ending: ProductEnding,
  _ operands: Operands.Type
) {
  let (least, larger) = left.rows.quotientAndRemainder(dividingBy: ProductTile.number(of: left.rows))
  var piece = piece
  let sums = unsafe piece.sums
  for tile in tiles {
    let rows = least + (tile < larger ? 1 : 0)
    unsafe piece.sums = sums.map { unsafe $0 + tile * ProductTile.count }
    piece.row = tile * least + min(tile, larger)
    if left.isPacked { piece.along = rows }
    let a = unsafe left.base + piece.row * (left.isPacked ? left.depth : left.down)
    unsafe multiplyTile(rows, a, b, piece, ending, operands)
  }
}

/// A tile of `rows` rows by one panel. It is a call, because within the loop over tiles its many sizes take the compiler long.
@inline(never) private func multiplyTile<Operands: ProductOperands>(
  _ rows: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ piece: ProductPiece, _ ending: ProductEnding,
  _ operands: Operands.Type
) {
  if piece.columns > laneCount {
    switch rows { #if LOCKSTEP_LANES_16
      case 12: unsafe wide(operands, a, b, piece, ending, RegisterTile<6>.self, RegisterTile<6>.self)
      case 11: unsafe wide(operands, a, b, piece, ending, RegisterTile<6>.self, RegisterTile<5>.self)
      case 10: unsafe wide(operands, a, b, piece, ending, RegisterTile<5>.self, RegisterTile<5>.self)
      case 9: unsafe wide(operands, a, b, piece, ending, RegisterTile<5>.self, RegisterTile<4>.self)
      case 8: unsafe wide(operands, a, b, piece, ending, RegisterTile<4>.self, RegisterTile<4>.self)
      case 7: unsafe wide(operands, a, b, piece, ending, RegisterTile<4>.self, RegisterTile<3>.self)
      case 6: unsafe wide(operands, a, b, piece, ending, RegisterTile<3>.self, RegisterTile<3>.self)
    #endif
    case 5: unsafe wide(operands, a, b, piece, ending, RegisterTile<3>.self, RegisterTile<2>.self)
    case 4: unsafe wide(operands, a, b, piece, ending, RegisterTile<2>.self, RegisterTile<2>.self)
    case 3: unsafe wide(operands, a, b, piece, ending, RegisterTile<2>.self, RegisterTile<1>.self)
    case 2: unsafe wide(operands, a, b, piece, ending, RegisterTile<1>.self, RegisterTile<1>.self)
    default: unsafe wide(operands, a, b, piece, ending, RegisterTile<1>.self, RegisterTile<0>.self)
    }
  } else {
    switch rows { #if LOCKSTEP_LANES_16
      case 12: unsafe narrow(operands, a, b, piece, ending, Registers<6>.self, Registers<6>.self)
      case 11: unsafe narrow(operands, a, b, piece, ending, Registers<6>.self, Registers<5>.self)
      case 10: unsafe narrow(operands, a, b, piece, ending, Registers<5>.self, Registers<5>.self)
      case 9: unsafe narrow(operands, a, b, piece, ending, Registers<5>.self, Registers<4>.self)
      case 8: unsafe narrow(operands, a, b, piece, ending, Registers<4>.self, Registers<4>.self)
      case 7: unsafe narrow(operands, a, b, piece, ending, Registers<4>.self, Registers<3>.self)
      case 6: unsafe narrow(operands, a, b, piece, ending, Registers<3>.self, Registers<3>.self)
    #endif
    case 5: unsafe narrow(operands, a, b, piece, ending, Registers<3>.self, Registers<2>.self)
    case 4: unsafe narrow(operands, a, b, piece, ending, Registers<2>.self, Registers<2>.self)
    case 3: unsafe narrow(operands, a, b, piece, ending, Registers<2>.self, Registers<1>.self)
    case 2: unsafe narrow(operands, a, b, piece, ending, Registers<1>.self, Registers<1>.self)
    default: unsafe narrow(operands, a, b, piece, ending, Registers<1>.self, Registers<0>.self)
    }
  }
}

/// Some rows by a panel of two vectors: with twelve rows 24 sums, which two loads and twelve broadcasts feed. They are two tiles, because
/// the compiler does not unroll a loop over more than some six rows.
@inline(never) private func wide<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ piece: ProductPiece,
  _ ending: ProductEnding, _: RegisterTile<upper>.Type, _: RegisterTile<lower>.Type
) {
  if let chosen = unsafe piece.chosen, unsafe chosen.pointee.target == nil {
    return unsafe wideChosen(
      a, b, chosen.pointee.places, piece, ending, RegisterTile<upper>.self, RegisterTile<lower>.self)
  }
  let along = piece.along
  let target = unsafe piece.product + (piece.row &* ending.stride &+ piece.column)
  var (index, start) = (0, 0)
  while piece.depth &- start > piece.part {
    if piece.asks > 0 { unsafe askForRows(index, of: upper &+ lower, target, piece, ending) }
    unsafe wideWaiting(
      operands, a + start &* along, b + start &* piece.across, piece, index, RegisterTile<upper>.self,
      RegisterTile<lower>.self)
    (index, start) = (index &+ 1, start &+ piece.part)
  }
  if piece.asks > 0 { unsafe askForRows(index, of: upper &+ lower, target, piece, ending) }
  var (first, last) = (RegisterTile<upper>(), RegisterTile<lower>())
  if piece.isContinued, let sums = unsafe piece.sums {
    first = unsafe RegisterTile(sums, stride: PackedMatrix.width)
    last = unsafe RegisterTile(sums + upper &* PackedMatrix.width, stride: PackedMatrix.width)
  }
  unsafe addProducts(
    operands, a + start &* along, b + start &* piece.across, piece.depth &- start, piece, to: &first, &last)
  if index > 0 { addWaiting(piece, index, isLast: true, to: &first, &last) }
  if !piece.isWritten, let sums = unsafe piece.sums {
    unsafe first.store(to: sums, stride: PackedMatrix.width)
    return unsafe last.store(to: sums + upper &* PackedMatrix.width, stride: PackedMatrix.width)
  }
  finish(&first, &last, piece, ending)
}

/// Asks for those of the `rows` rows at `target` that are part `index`'s to ask for. It is a call, because within a kernel it would take registers
/// from its loops.
@inline(never) private func askForRows(
  _ index: Int, of rows: Int, _ target: UnsafeMutablePointer<Float>, _ piece: ProductPiece, _ ending: ProductEnding
) {
  let first = index &* piece.asks
  guard first < rows else { return }
  let those = first..<min(first &+ piece.asks, rows)
  if let chosen = unsafe piece.chosen?.pointee, let base = unsafe chosen.target {
    let column = unsafe Int(chosen.places[piece.column])
    let width = unsafe Int(chosen.places[piece.column &+ piece.columns &- 1]) &+ 1 &- column
    for row in those {
      unsafe base.prefetchToWrite((piece.row &+ row) &* chosen.stride &+ column, count: width)
    }
  } else {
    for row in those { unsafe target.prefetchToWrite(row &* ending.stride, count: PackedMatrix.width) }
  }
}

/// The sum of a part that is not the last, and of those before it that it completes a node with, left to wait.
@inline(never) private func wideWaiting<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ piece: ProductPiece, _ index: Int,
  _: RegisterTile<upper>.Type, _: RegisterTile<lower>.Type
) {
  var (first, last) = (RegisterTile<upper>(), RegisterTile<lower>())
  unsafe addProducts(operands, a, b, piece.part, piece, to: &first, &last)
  addWaiting(piece, index, isLast: false, to: &first, &last)
  let place = unsafe piece.waiting(index.nonzeroBitCount &- completedNodes(index, isLast: false))
  unsafe first.store(to: place, stride: PackedMatrix.width)
  unsafe last.store(to: place + upper &* PackedMatrix.width, stride: PackedMatrix.width)
}

@inline(__always) private func addProducts<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ depth: Int,
  _ piece: ProductPiece, to first: inout RegisterTile<upper>, _ last: inout RegisterTile<lower>
) {
  var (x, y) = unsafe (a, b)
  let (down, along, across) = (piece.down, piece.along, piece.across)
  // Counted down, for the check of a range's end keeps the sums in memory.
  var left = depth
  while left > 0 {
    left &-= 1
    let (one, other) = unsafe (y.lanes(0), y.lanes(laneCount))
    unsafe first.addOuterProduct(operands, x, stride: down, one, other)
    unsafe last.addOuterProduct(operands, x + upper &* down, stride: down, one, other)
    unsafe x += along
    unsafe y += across
  }
}

/// The same of left's columns at `places`, which are no pairs. It is a call, because within the kernel it would take registers from its loop.
@inline(never) private func wideChosen<let upper: Int, let lower: Int>(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ piece: ProductPiece,
  _ ending: ProductEnding, _: RegisterTile<upper>.Type, _: RegisterTile<lower>.Type
) {
  var (first, last) = (RegisterTile<upper>(), RegisterTile<lower>())
  var (place, y) = unsafe (places, b)
  let (down, across) = (piece.down, piece.across)
  var left = piece.depth
  while left > 0 {
    left &-= 1
    let x = unsafe a + Int(place.pointee)
    let (one, other) = unsafe (y.lanes(0), y.lanes(laneCount))
    unsafe first.addOuterProduct(SingleOperands.self, x, stride: down, one, other)
    unsafe last.addOuterProduct(SingleOperands.self, x + upper &* down, stride: down, one, other)
    unsafe place += 1
    unsafe y += across
  }
  finish(&first, &last, piece, ending)
}

/// Does to a tile's sums what is done to them last, and writes them.
@inline(__always) private func finish<let upper: Int, let lower: Int>(
  _ first: inout RegisterTile<upper>, _ last: inout RegisterTile<lower>, _ piece: ProductPiece, _ ending: ProductEnding
) {
  guard ending.isPlain else {
    unsafe first.store(to: piece.tiles, stride: PackedMatrix.width)
    unsafe last.store(to: piece.tiles + upper &* PackedMatrix.width, stride: PackedMatrix.width)
    return finish(rows: upper &+ lower, width: PackedMatrix.width, piece, ending)
  }
  first.finish(piece, ending, piece.row)
  last.finish(piece, ending, piece.row &+ upper)
}

@inline(__always) private func addWaiting<let upper: Int, let lower: Int>(
  _ piece: ProductPiece, _ index: Int, isLast: Bool, to first: inout RegisterTile<upper>,
  _ last: inout RegisterTile<lower>
) {
  var place = unsafe piece.waiting(index.nonzeroBitCount)
  var left = completedNodes(index, isLast: isLast)
  while left > 0 {
    left &-= 1
    unsafe place -= ProductTile.count
    unsafe first.add(place, stride: PackedMatrix.width)
    unsafe last.add(place + upper &* PackedMatrix.width, stride: PackedMatrix.width)
  }
}

extension ProductPiece {
  /// The sums that wait at `place`.
  fileprivate func waiting(_ place: Int) -> UnsafeMutablePointer<Float> {
    unsafe tiles + (ProductTile.room &+ (place &- ProductTile.mostWaiting) &* ProductTile.count)
  }
}

extension RegisterTile {
  /// Adds the outer product of the factors at `column`, one a row and `stride` apart, and of two vectors.
  @inline(__always) fileprivate mutating func addOuterProduct<Operands: ProductOperands>(
    _: Operands.Type, _ column: UnsafePointer<Float>, stride: Int, _ one: Lanes, _ other: Lanes
  ) {
    for row in 0..<rows {
      let factor = unsafe column.broadcast(row &* stride)
      left[row] = Operands.add(to: left[row], factor, one)
      right[row] = Operands.add(to: right[row], factor, other)
    }
  }

  /// See ``Registers``'s.
  @inline(__always) fileprivate mutating func finish(_ piece: ProductPiece, _ ending: ProductEnding, _ row: Int) {
    if piece.columns == PackedMatrix.width {
      if let bias = unsafe ending.bias { unsafe add(bias.lanes(piece.column), bias.lanes(piece.column &+ laneCount)) }
      if ending.activation == .relu { rectify() }
      if let addend = unsafe ending.addend(row, piece.column) { unsafe add(addend, stride: ending.addendStride) }
      let target = unsafe piece.product + (row &* ending.stride &+ piece.column)
      return unsafe store(to: target, stride: ending.stride)
    }
    let rest = piece.columns &- laneCount
    if let bias = unsafe ending.bias {
      unsafe add(bias.lanes(piece.column), bias.lanes(piece.column &+ laneCount, first: rest))
    }
    if ending.activation == .relu { rectify() }
    left.write(first: laneCount, piece, ending, row, piece.column)
    right.write(first: rest, piece, ending, row, piece.column &+ laneCount)
  }
}

/// Some rows by a panel of one vector.
@inline(never) private func narrow<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ piece: ProductPiece,
  _ ending: ProductEnding, _: Registers<upper>.Type, _: Registers<lower>.Type
) {
  if let chosen = unsafe piece.chosen, unsafe chosen.pointee.target == nil {
    return unsafe narrowChosen(
      a, b, chosen.pointee.places, piece, ending, Registers<upper>.self, Registers<lower>.self)
  }
  let along = piece.along
  var (index, start) = (0, 0)
  while piece.depth &- start > piece.part {
    unsafe narrowWaiting(
      operands, a + start &* along, b + start &* piece.across, piece, index, Registers<upper>.self,
      Registers<lower>.self)
    (index, start) = (index &+ 1, start &+ piece.part)
  }
  var (first, last) = (Registers<upper>(), Registers<lower>())
  if piece.isContinued, let sums = unsafe piece.sums {
    first = unsafe Registers(sums)
    last = unsafe Registers(sums + upper &* laneCount)
  }
  unsafe addProducts(
    operands, a + start &* along, b + start &* piece.across, piece.depth &- start, piece, to: &first, &last)
  if index > 0 { addWaiting(piece, index, isLast: true, to: &first, &last) }
  if !piece.isWritten, let sums = unsafe piece.sums {
    unsafe first.store(to: sums)
    return unsafe last.store(to: sums + upper &* laneCount)
  }
  finish(&first, &last, piece, ending)
}

@inline(never) private func narrowWaiting<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ piece: ProductPiece, _ index: Int,
  _: Registers<upper>.Type, _: Registers<lower>.Type
) {
  var (first, last) = (Registers<upper>(), Registers<lower>())
  unsafe addProducts(operands, a, b, piece.part, piece, to: &first, &last)
  addWaiting(piece, index, isLast: false, to: &first, &last)
  let place = unsafe piece.waiting(index.nonzeroBitCount &- completedNodes(index, isLast: false))
  unsafe first.store(to: place)
  unsafe last.store(to: place + upper &* laneCount)
}

@inline(__always) private func addProducts<let upper: Int, let lower: Int, Operands: ProductOperands>(
  _ operands: Operands.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ depth: Int,
  _ piece: ProductPiece, to first: inout Registers<upper>, _ last: inout Registers<lower>
) {
  let (down, along, across) = (piece.down, piece.along, piece.across)
  // Two sets of rows, each found from its own first one.
  var (x, z, y) = unsafe (a, a + upper &* down, b)
  var left = depth
  while left > 0 {
    left &-= 1
    let vector = unsafe y.lanes(0)
    unsafe first.addOuterProduct(operands, x, stride: down, vector)
    unsafe last.addOuterProduct(operands, z, stride: down, vector)
    unsafe x = (x + along).asUnknown
    unsafe z = (z + along).asUnknown
    unsafe y += across
  }
}

/// The same of left's columns at `places`, which are no pairs. It is a call, because within the kernel it would take registers from its loop.
@inline(never) private func narrowChosen<let upper: Int, let lower: Int>(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ piece: ProductPiece,
  _ ending: ProductEnding, _: Registers<upper>.Type, _: Registers<lower>.Type
) {
  var (first, last) = (Registers<upper>(), Registers<lower>())
  var (place, y) = unsafe (places, b)
  let (down, across) = (piece.down, piece.across)
  var left = piece.depth
  while left > 0 {
    left &-= 1
    let x = unsafe a + Int(place.pointee)
    let vector = unsafe y.lanes(0)
    unsafe first.addOuterProduct(SingleOperands.self, x, stride: down, vector)
    unsafe last.addOuterProduct(SingleOperands.self, x + upper &* down, stride: down, vector)
    unsafe place += 1
    unsafe y += across
  }
  finish(&first, &last, piece, ending)
}

/// Does to a tile's sums what is done to them last, and writes them.
@inline(__always) private func finish<let upper: Int, let lower: Int>(
  _ first: inout Registers<upper>, _ last: inout Registers<lower>, _ piece: ProductPiece, _ ending: ProductEnding
) {
  guard ending.isPlain else {
    unsafe first.store(to: piece.tiles)
    unsafe last.store(to: piece.tiles + upper &* laneCount)
    return finish(rows: upper &+ lower, width: laneCount, piece, ending)
  }
  first.finish(piece, ending, piece.row)
  last.finish(piece, ending, piece.row &+ upper)
}

@inline(__always) private func addWaiting<let upper: Int, let lower: Int>(
  _ piece: ProductPiece, _ index: Int, isLast: Bool, to first: inout Registers<upper>, _ last: inout Registers<lower>
) {
  var place = unsafe piece.waiting(index.nonzeroBitCount)
  var left = completedNodes(index, isLast: isLast)
  while left > 0 {
    left &-= 1
    unsafe place -= ProductTile.count
    unsafe first.add(place)
    unsafe last.add(place + upper &* laneCount)
  }
}

extension Registers {
  /// Adds the outer product of the floats at `column`, one a vector and `stride` floats apart, and of a vector.
  @inline(__always) fileprivate mutating func addOuterProduct<Operands: ProductOperands>(
    _: Operands.Type, _ column: UnsafePointer<Float>, stride: Int, _ vector: Lanes
  ) { for row in 0..<count { self[row] = unsafe Operands.add(to: self[row], column.broadcast(row &* stride), vector) } }

  /// Adds the vectors at `memory`, side by side.
  @inline(__always) fileprivate mutating func add(_ memory: UnsafePointer<Float>) {
    for row in 0..<count { self[row] += unsafe memory.lanes(row &* laneCount) }
  }

  /// Adds the bias, replaces values less than 0 if that is asked for, adds the addend, and writes the sums to the product's rows from `row` on.
  @inline(__always) fileprivate mutating func finish(_ piece: ProductPiece, _ ending: ProductEnding, _ row: Int) {
    if let bias = unsafe ending.bias {
      let added = unsafe bias.lanes(piece.column, first: piece.columns)
      for row in 0..<count { self[row] += added }
    }
    if ending.activation == .relu { rectify() }
    write(first: piece.columns, piece, ending, row, piece.column)
  }

  /// Writes the first `columns` lanes of the vectors, with the addend, to the product's rows from `row` on, at `column`.
  @inline(__always) fileprivate mutating func write(
    first columns: Int, _ piece: ProductPiece, _ ending: ProductEnding, _ row: Int, _ column: Int
  ) {
    let target = unsafe piece.product + (row &* ending.stride &+ column)
    if let addend = unsafe ending.addend(row, column) {
      for index in 0..<count { self[index] += unsafe addend.lanes(index &* ending.addendStride, first: columns) }
    }
    for index in 0..<count { unsafe target.store(self[index], index &* ending.stride, first: columns) }
  }
}

extension ProductEnding {
  /// Whether little is to be done to the sums: they get a bias, may be rectified, get an addend, and are written to rows of the product's
  /// memory.
  @inline(__always) fileprivate var isPlain: Bool { !isTransposed && (activation == .none || activation == .relu) }

  /// What is added to the sums of a product that is not transposed, from `row` and `column` on.
  @inline(__always) fileprivate func addend(_ row: Int, _ column: Int) -> UnsafePointer<Float>? {
    guard let addend = unsafe addend else { return nil }
    return unsafe addend + (row &* addendStride &+ column)
  }

  /// Does to one vector of sums what is to be done, and writes `width` of its lanes to a row of the product's memory.
  @inline(always) fileprivate func write(
    _ sums: Lanes, to product: UnsafeMutablePointer<Float>, row: Int, column: Int, first width: Int
  ) {
    var sums = sums
    if let bias = unsafe bias { sums += unsafe bias.lanes(column, first: width) }
    switch activation {
    case .none: break
    case .relu:
      let zero = Lanes(repeating: 0)
      sums.replace(with: zero, where: sums .< zero)
    case .gelu: sums = sums.gelu()
    case .tanh: sums = sums.tanh()
    case .sigmoid: sums = sums.sigmoid()
    }
    if let addend = unsafe addend { unsafe sums += addend.lanes(row * addendStride + column, first: width) }
    unsafe product.store(sums, row * stride + column, first: width)
  }
}

/// Finishes a tile whose sums lie in `piece.tiles`: `rows` rows of `width` floats.
@inline(never) private func finish(rows: Int, width: Int, _ piece: ProductPiece, _ ending: ProductEnding) {
  let sums = unsafe UnsafePointer(piece.tiles)
  let (row, column) = (piece.row, piece.column)
  guard ending.isTransposed else {
    for at in stride(from: 0, to: piece.columns, by: laneCount) {
      let lanes = min(laneCount, piece.columns - at)
      for i in 0..<rows {
        unsafe ending.write(
          sums.lanes(i * width + at), to: piece.product, row: row + i, column: column + at, first: lanes)
      }
    }
    return
  }
  let turned = unsafe piece.tiles + ProductTile.count
  for at in stride(from: 0, to: piece.columns, by: laneCount) {
    let count = min(laneCount, piece.columns - at)
    unsafe transposeSquare(sums + at, stride: width, rows: rows, columns: count, into: turned, stride: laneCount)
    for j in 0..<count {
      unsafe ending.write(
        turned.lanes(j * laneCount), to: piece.product, row: column + at + j, column: row, first: rows)
    }
  }
}
