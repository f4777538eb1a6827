import Tensors

/// A vision transformer (Dosovitskiy et al. 2020) at MNIST's size: patches of 4×4 as tokens of width 64, a class token, learnt positions,
/// and six blocks of four heads and 128 hidden units. 205,962 parameters on 28×28×1 with ten outputs.
///
/// The class token is taken before the last normalisation, which treats each token by itself.
@Sendable
func vit(input: Shape, outputs: Int) -> [any LayerSpecification] {
  let embedding: [any LayerSpecification] = [Patches(4), TokenDense(64), ClassToken(), Positions()]
  let blocks = (0..<6).map { _ in transformerBlock(width: 64, heads: 4, hidden: 128) }
  return embedding + blocks + [Token(0), LayerNorm(), Dense(outputs)]
}
