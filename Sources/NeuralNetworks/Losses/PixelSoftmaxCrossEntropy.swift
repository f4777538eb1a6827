import Kernels
import Tensors

/// Cross-entropy of a softmax over each pixel's logits z, for pixels with a few whole values 0, 1, …:
/// `loss = Σ over pixels of (log Σⱼ exp(zⱼ) − z[value])`, `∂loss/∂zⱼ = softmax(z)ⱼ − [j = value]`.
///
/// Output `[pixels, levels]`. PyTorch's `cross_entropy` over the pixels of a batch is it divided by their number.
public struct PixelSoftmaxCrossEntropy: PixelLoss {
  public let pixels: Int
  /// The number of values that a pixel can have.
  public let levels: Int
  public var outputs: Int { pixels * levels }
  public var outputShape: Shape { [pixels, levels] }
  public var name: String { PixelTask.Kind.softmax.rawValue }

  /// The loss over images of `pixels` pixels, 1 or more, with values 0 to below `levels`, 2 or more.
  public init(pixels: Int, levels: Int = 2) {
    precondition(pixels >= 1 && levels >= 2, "\(pixels) pixels of \(levels) values")
    self.pixels = pixels
    self.levels = levels
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    let values = examples.values
    precondition(
      values.count == examples.samples * pixels, "\(values.count) pixels for \(examples.samples) images of \(pixels)")
    if let gradient { softmax(output, into: gradient, classes: levels) }
    var sum = 0.0
    for pixel in 0..<values.count {
      let value = values[pixel]
      precondition(value >= 0 && value < Float(levels), "a pixel of \(value) is none of \(levels) values")
      let own = pixel * levels + Int(value)
      sum += Double(logSumExp(output[pixel * levels..<(pixel + 1) * levels]) - output[own])
      if let gradient { gradient[own] -= 1 }
    }
    return LossSums(loss: sum, samples: examples.samples)
  }

  public func draw(_ outputs: Buffer<Float>, temperature: Float, uniform: Float) -> Float {
    var best = 0
    for level in 1..<levels where outputs[level] > outputs[best] { best = level }
    guard temperature > 0 else { return Float(best) }
    let weights = (0..<levels).map { exponential((outputs[$0] - outputs[best]) / temperature) }
    var left = uniform * weights.reduce(0, +)
    // Downwards, so that a pixel of two values is 1 below its probability, as in a draw by a sigmoid.
    for level in (1..<levels).reversed() {
      if left < weights[level] { return Float(level) }
      left -= weights[level]
    }
    return 0
  }
}
