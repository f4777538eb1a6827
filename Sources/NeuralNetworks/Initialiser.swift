import Tensors

/// The starting values of a parameter.
public enum Initialiser: Sendable, Hashable {
  /// All zero, as Keras starts a bias.
  case zeros
  /// Uniform in ±√(6 / (fanIn + fanOut)) (Glorot & Bengio 2010, formula 16), as Keras starts weights.
  case glorotUniform(fanIn: Int, fanOut: Int)

  /// Fills `parameter` with values that follow from `seed` and from the parameter's `index` in its network alone.
  public func fill(_ parameter: Buffer<Float>, seed: UInt64, index: Int) {
    switch self {
    case .zeros: parameter.fill(0)
    case .glorotUniform(let fanIn, let fanOut):
      let limit = (6 / Float(fanIn + fanOut)).squareRoot()
      var generator = Philox(seed: seed, purpose: .initialisation, stream: UInt64(index))
      for i in 0..<parameter.count { parameter[i] = (2 * generator.nextUniform() - 1) * limit }
    }
  }
}
