import Kernels
import Tensors

/// What makes a mean of `gradient`, a sum over `samples` samples, with a norm of at most `clipNorm`; a plain mean where that is nil.
///
///     1/n · min(1, c / (‖g/n‖ + 10⁻⁶))
///
/// The rule of PyTorch's `clip_grad_norm_`. The norm is summed in Double in one order over the whole gradient: ranks that hold the same
/// gradient find the same scale, whatever their number.
///
/// - Parameter ranges: where the parameters lie that are stepped; nil for everywhere. The gradient of others does not count.
public func meanScale(
  _ gradient: Buffer<Float>, in ranges: [Range<Int>]? = nil, samples: Int, clipNorm: Float?
) -> Float {
  guard let clipNorm else { return 1 / Float(samples) }
  let squares = ranges?.reduce(0) { $0 + sumOfSquares(gradient[$1]) } ?? sumOfSquares(gradient)
  let norm = squares.squareRoot() / Double(samples)
  return Float(min(1, Double(clipNorm) / (norm + 1e-6)) / Double(samples))
}
