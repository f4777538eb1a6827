import Kernels
import Tensors

/// Weights as the right factor of products, laid out when they have changed.
struct LaidOutWeights {
  private(set) var matrix: PackedMatrix
  private var version: WeightsVersion?

  /// Makes the memory for weights of `rows` × `columns`.
  init(rows: Int, columns: Int) { matrix = PackedMatrix(rows: rows, columns: columns) }

  /// Lays `weights` out as products of `pass` want them, unless the last ones were of its version. All passes must have one precision.
  mutating func take(_ weights: Matrix, _ pass: Pass) {
    if pass.keeps(version) { return }
    matrix = matrix.pack(weights, inPairs: pass.precision.isPaired)
    version = pass.weights
  }
}
