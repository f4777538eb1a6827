import Kernels
import Tensors

/// The factor that turns a gradient g, summed over n samples, into its mean, clipped to a norm of c:
///
///     1/n · min(1, c / (‖g/n‖ + 10⁻⁶))
///
/// The rule of PyTorch's `clip_grad_norm_`. The norm is summed in Double, in one order over the whole gradient, so that
/// all ranks find the same factor, whatever their number.
///
/// - Parameters:
///   - gradient: g.
///   - ranges: the ranges of the parameters that are stepped. Only their gradient counts in the norm. nil for all.
///   - samples: n.
///   - clipNorm: c; nil for the factor of the mean alone.
public func meanScale(
  _ gradient: Buffer<Float>, in ranges: [Range<Int>]? = nil, samples: Int, clipNorm: Float?
) -> Float {
  guard let clipNorm else { return 1 / Float(samples) }
  let squares = ranges?.reduce(0) { $0 + sumOfSquares(gradient[$1]) } ?? sumOfSquares(gradient)
  let norm = squares.squareRoot() / Double(samples)
  return Float(min(1, Double(clipNorm) / (norm + 1e-6)) / Double(samples))
}
