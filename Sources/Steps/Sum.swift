import Tensors

/// The floats that the tree adds up: the gradient, and behind it the batch's sums, which so need no message of their
/// own.
struct Sum {
  let gradient: Buffer<Float>
  let batch: BatchSums

  init(_ buffer: Buffer<Float>, parameters: Int) {
    gradient = buffer[0..<parameters]
    batch = BatchSums(values: buffer[parameters..<parameters + BatchSums.count])
  }
}
