import Kernels
import Tensors

/// Room for the left factors of a layer's products where factors are laid out in pairs (``Kernels/ProductPrecision/isPaired``). It is made by the
/// first such product, for on most processors, and in single precision, there is none.
final class PairedFactor {
  private let rows: Int
  private let columns: Int
  private lazy var room = PackedLeft(rows: rows, columns: columns)

  /// For factors of up to `rows` × `columns`, or as many elements.
  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// ``Kernels/multiply(_:_:bias:activation:residual:into:_:part:stretch:)`` of a right factor that is laid out, in pairs or not.
  func multiply(
    _ left: Matrix, _ right: PackedMatrix, bias: Buffer<Float>? = nil, into product: Matrix,
    _ accumulation: Accumulation = .replace, part: Int? = nil, stretch: ProductStretch? = nil
  ) {
    guard right.isPaired else {
      return Kernels.multiply(left, right, bias: bias, into: product, accumulation, part: part, stretch: stretch)
    }
    Kernels.multiply(
      room.pack(left, inPairs: true, part: part), right, bias: bias, into: product, accumulation, part: part,
      stretch: stretch)
  }

  /// The same product with a bias, and `residual` added last.
  func multiply(
    _ left: Matrix, _ right: PackedMatrix, bias: Buffer<Float>, residual: Matrix?, into product: Matrix
  ) {
    guard right.isPaired else {
      return Kernels.multiply(left, right, bias: bias, residual: residual, into: product)
    }
    Kernels.multiply(room.pack(left, inPairs: true), right, bias: bias, residual: residual, into: product)
  }
}
