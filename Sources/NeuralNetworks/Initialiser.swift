import Glibc
import Tensors

/// The starting values of a parameter.
public enum Initialiser: Sendable, Hashable {
  /// All zero, as Keras starts a bias.
  case zeros
  /// All one, as a normalisation's scale starts.
  case ones
  /// Uniform in ±√(6 / (fanIn + fanOut)) (Glorot & Bengio 2010, formula 16), as Keras starts weights.
  case glorotUniform(fanIn: Int, fanOut: Int)
  /// Normal with mean 0 and this standard deviation, by Box & Muller's transform (1958).
  case normal(deviation: Float)

  /// Fills `parameter` with values that follow from `seed` and from the parameter's `index` in its network alone.
  public func fill(_ parameter: Buffer<Float>, seed: UInt64, index: Int) {
    switch self {
    case .zeros: parameter.fill(0)
    case .ones: parameter.fill(1)
    case .glorotUniform(let fanIn, let fanOut):
      let limit = (6 / Float(fanIn + fanOut)).squareRoot()
      var generator = Philox(seed: seed, purpose: .initialisation, stream: UInt64(index))
      for i in 0..<parameter.count { parameter[i] = (2 * generator.nextUniform() - 1) * limit }
    case .normal(let deviation):
      var generator = Philox(seed: seed, purpose: .initialisation, stream: UInt64(index))
      // In Double, whose last digits, in which C libraries differ, are lost in rounding to Float.
      for i in stride(from: 0, to: parameter.count, by: 2) {
        // A uniform number may be 0, and one less it may not.
        let radius = Double(deviation) * (-2 * log(1 - Double(generator.nextUniform()))).squareRoot()
        let angle = 2 * Double.pi * Double(generator.nextUniform())
        parameter[i] = Float(radius * cos(angle))
        if i + 1 < parameter.count { parameter[i + 1] = Float(radius * sin(angle)) }
      }
    }
  }
}
