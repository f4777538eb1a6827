import Kernels
import Tensors

extension MultiHeadAttention {
  /// The weights of one sample's attention, [heads, tokens, tokens]: row i of a head says how much of each token goes into token i, 1 in sum.
  ///
  ///     softmax(q · kᵀ / √d)
  ///
  /// They are worked out from the layer's input by themselves, for explanations: the layer keeps none of them. Throws ``ModelError`` if the
  /// layer cannot take input of this shape.
  ///
  /// - Parameters:
  ///   - input: the layer's input [tokens, width], of shape `shape`.
  ///   - parameters: the layer's own, as ``Layer/parameters`` has them.
  public func weights(of input: Buffer<Float>, shape: Shape, _ parameters: ParameterBlock) throws -> Buffer<Float> {
    _ = try outputShape(for: shape)
    let (tokens, width) = (shape[0], shape[1])
    let size = width / heads
    let projected = Buffer<Float>(count: tokens * 3 * width)
    Projection(inputs: width, units: 3 * width, capacity: tokens)
      .forward(input, weights: parameters[0], bias: parameters[1], into: projected, Pass(samples: 1))
    let columns = Matrix(projected, columns: 3 * width)
    let (scores, weights) = (Buffer<Float>(count: tokens * tokens), Buffer<Float>(count: heads * tokens * tokens))
    let factor = 1 / Float(size).squareRoot()
    for head in 0..<heads {
      let (q, k) = (head * size, width + head * size)
      multiply(
        columns[columns: q..<q + size], columns[columns: k..<k + size].transposed,
        into: Matrix(scores, rows: tokens, columns: tokens))
      scale(scores, by: factor)
      for token in 0..<tokens {
        let (row, seen) = (token * tokens, causal ? token + 1 : tokens)
        let own = weights[head * tokens * tokens + row..<head * tokens * tokens + row + seen]
        softmax(scores[row..<row + seen], into: own, classes: seen)
      }
    }
    return weights
  }
}
