import Kernels
import Tensors

/// Causal ``MultiHeadAttention`` position by position. The keys and values of earlier positions are kept, so that a position costs its own
/// projections and a look at those before it.
final class AttentionStepper: Stepper {
  private let shape: TokenShape
  private let heads: Int
  private let samples: Int
  /// A step of the sequence at work, whose weights have one version.
  private var pass: Pass
  private let inputProjection: Projection
  private let outputProjection: Projection
  /// q, k and v of the position [samples, 3 · width], and the heads' results [samples, width].
  private let projected: Buffer<Float>
  private let attended: Buffer<Float>
  /// k and v of every position so far, [samples, heads, tokens, width / heads].
  private let keys: Buffer<Float>
  private let values: Buffer<Float>
  /// The weights of one head in one sample, [tokens] with room for whole vectors.
  private let weights: Buffer<Float>

  init(_ shape: TokenShape, heads: Int, samples: Int) {
    self.shape = shape
    self.heads = heads
    self.samples = samples
    pass = Pass(samples: samples)
    inputProjection = Projection(inputs: shape.width, units: 3 * shape.width, capacity: samples)
    outputProjection = Projection(inputs: shape.width, units: shape.width, capacity: samples)
    projected = Buffer(count: samples * 3 * shape.width)
    attended = Buffer(count: samples * shape.width)
    keys = Buffer(count: samples * shape.count)
    values = Buffer(count: samples * shape.count)
    weights = Buffer(count: wholeVectors(shape.tokens))
  }

  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>) {
    // The weights stay the same from position to position.
    if position == 0 { pass = Pass(samples: samples, weights: WeightsVersion()) }
    inputProjection.forward(input, weights: parameters[0], bias: parameters[1], into: projected, pass)
    for sample in 0..<samples {
      for head in 0..<heads { attend(sample, head, at: position) }
    }
    outputProjection.forward(attended, weights: parameters[2], bias: parameters[3], into: output, pass)
  }

  private func attend(_ sample: Int, _ head: Int, at position: Int) {
    let size = shape.width / heads
    /// q, k or v of the head, part 0, 1 or 2.
    func projection(_ part: Int) -> Buffer<Float> {
      let start = (sample * 3 + part) * shape.width + head * size
      return projected[start..<start + size]
    }
    let start = (sample * heads + head) * shape.tokens * size
    let own = start + position * size..<start + (position + 1) * size
    keys[own].copy(from: projection(1))
    values[own].copy(from: projection(2))
    let seen = position + 1
    func matrix(_ kept: Buffer<Float>) -> Matrix {
      Matrix(kept[start..<start + seen * size], rows: seen, columns: size)
    }
    let scores = Matrix(weights.prefix(seen), rows: 1, columns: seen)
    multiply(Matrix(projection(0), rows: 1, columns: size), matrix(keys).transposed, into: scores)
    attentionWeights(
      weights.prefix(wholeVectors(seen)), keys: seen, scale: 1 / Float(size).squareRoot(), isCausal: false)
    let result = sample * shape.width + head * size
    multiply(scores, matrix(values), into: Matrix(attended[result..<result + size], rows: 1, columns: size))
  }
}
