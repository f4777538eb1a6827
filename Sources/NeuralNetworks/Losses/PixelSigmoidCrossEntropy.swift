import Kernels
import Tensors

/// Cross-entropy of a sigmoid over each pixel's logit z, for pixels y of 0 or 1, each a draw of Bernoulli's:
/// `loss = Σ over pixels of (softplus(z) − z · y)`, `∂loss/∂z = sigmoid(z) − y`.
///
/// Output `[pixels]`. PyTorch's `binary_cross_entropy_with_logits` over the pixels of a batch is it divided by their number.
public struct PixelSigmoidCrossEntropy: PixelLoss {
  public let pixels: Int
  public var outputs: Int { pixels }
  public var name: String { PixelTask.Kind.sigmoid.rawValue }

  /// The loss over images of `pixels` pixels, 1 or more.
  public init(pixels: Int) {
    precondition(pixels >= 1, "\(pixels) pixels")
    self.pixels = pixels
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    let values = examples.values
    precondition(
      values.count == examples.samples * pixels, "\(values.count) pixels for \(examples.samples) images of \(pixels)")
    var sum = 0.0
    for pixel in 0..<values.count {
      let (logit, value) = (output[pixel], values[pixel])
      sum += Double(softplus(logit) - logit * value)
      gradient?[pixel] = sigmoid(logit) - value
    }
    return LossSums(loss: sum, samples: examples.samples)
  }

  public func draw(_ outputs: Buffer<Float>, temperature: Float, uniform: Float) -> Float {
    guard temperature > 0 else { return outputs[0] > 0 ? 1 : 0 }
    return uniform < sigmoid(outputs[0] / temperature) ? 1 : 0
  }
}
