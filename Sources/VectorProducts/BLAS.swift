internal import COpenBLAS
import Primitives
import Vectors

/// A row-major matrix in flat memory, as it stands or read transposed.
public struct Matrix {
  let elements: Buffer<Float>
  let rows: Int
  let columns: Int
  /// The floats from one row to the next: sgemm's leading dimension.
  let stride: Int
  let isTransposed: Bool

  /// `rows × columns` elements, row by row.
  public init(_ elements: Buffer<Float>, rows: Int, columns: Int) {
    precondition(elements.count == rows * columns, "a \(rows) × \(columns) matrix of \(elements.count) elements")
    self.init(elements, rows: rows, columns: columns, stride: columns, isTransposed: false)
  }

  /// As many rows of `columns` elements as there are.
  public init(_ elements: Buffer<Float>, columns: Int) {
    self.init(elements, rows: elements.count / columns, columns: columns)
  }

  private init(_ elements: Buffer<Float>, rows: Int, columns: Int, stride: Int, isTransposed: Bool) {
    self.elements = elements
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.isTransposed = isTransposed
  }

  /// Some of the columns, read and written where they lie, such as those of an attention head. Take them before ``transposed``.
  public subscript(columns range: Range<Int>) -> Matrix {
    precondition(
      !isTransposed && rows >= 1 && range.lowerBound >= 0 && range.upperBound <= columns,
      "columns \(range) of a \(rows) × \(columns) matrix")
    let end = (rows - 1) * stride + range.upperBound
    return Matrix(
      elements[range.lowerBound..<end], rows: rows, columns: range.count, stride: stride, isTransposed: false)
  }

  /// Some of the rows, read and written where they lie. Take them before ``transposed``.
  public subscript(rows range: Range<Int>) -> Matrix {
    precondition(
      !isTransposed && !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= rows,
      "rows \(range) of a \(rows) × \(columns) matrix")
    let end = (range.upperBound - 1) * stride + columns
    return Matrix(
      elements[range.lowerBound * stride..<end], rows: range.count, columns: columns, stride: stride,
      isTransposed: false)
  }

  /// The same memory read as `columns × rows`.
  public var transposed: Matrix {
    Matrix(elements, rows: rows, columns: columns, stride: stride, isTransposed: !isTransposed)
  }

  var shape: (rows: Int, columns: Int) { isTransposed ? (columns, rows) : (rows, columns) }
}

/// `product = left · right`, or `product += left · right`, by OpenBLAS' sgemm on this thread.
///
/// Shapes: `left` [m, k], `right` [k, n], `product` [m, n] (not transposed). The bits depend on m, n and k, which is why
/// a microbatch has the same shape on every rank. With `.add` the sum over k is complete before it is added as long as
/// k ≤ ``longestUnsplitSum``; beyond, OpenBLAS adds block by block, which rounds more than once.
public func multiply(
  _ left: Matrix, _ right: Matrix, into product: Matrix, _ accumulation: Accumulation = .replace
) {
  let (m, k) = left.shape
  let (inner, n) = right.shape
  precondition(k == inner, "product of [\(m), \(k)] and [\(inner), \(n)]")
  precondition(!product.isTransposed && product.shape == (m, n), "a product's shape is [\(m), \(n)]")
  unsafe cblas_sgemm(
    CblasRowMajor, left.isTransposed ? CblasTrans : CblasNoTrans, right.isTransposed ? CblasTrans : CblasNoTrans,
    blasint(m), blasint(n), blasint(k), 1, left.elements.base, blasint(left.stride), right.elements.base,
    blasint(right.stride), accumulation == .add ? 1 : 0, product.elements.base, blasint(product.stride))
}

/// The longest inner dimension that OpenBLAS' sgemm is relied on to sum in registers before it touches the product: a
/// quarter of the smallest block (256) of any of its kernels. A test holds the bits to it.
public let longestUnsplitSum = 64

/// The identity of these kernels, which decides the bits that they compute. Ranks with different identities must not
/// train together.
public struct KernelIdentity: Sendable, CustomStringConvertible {
  /// OpenBLAS' name of the CPU core that its kernels were chosen for, such as `Zen` or `SkylakeX`.
  public let blasCore: String
  /// The lanes of the hand-written kernels.
  public let lanes: Int

  /// This process' identity.
  public static var current: KernelIdentity {
    KernelIdentity(blasCore: unsafe String(cString: openblas_get_corename()), lanes: laneCount)
  }

  /// Such as `Zen/8 lanes`.
  public var description: String { "\(blasCore)/\(lanes) lanes" }
}

/// OpenBLAS' version and build options, for `lockstep doctor`.
public var blasConfiguration: String { unsafe String(cString: openblas_get_config()) }

/// Keeps OpenBLAS to the calling thread, in every rank: more threads than cores only wait for one another, and the
/// number of threads would change the bits.
public func useOneBLASThread() { openblas_set_num_threads(1) }
