import Tensors

/// A causal transformer that predicts each of an image's black and white pixels from those before it, row by row (Radford et al. 2018; on
/// pixels, Chen et al. 2020): tokens 0, 1 and a start of width 64, learnt positions, and four blocks of four heads and 256 hidden units.
/// Output [pixels, 2]. 212,930 parameters on 14×14×1.
@Sendable
func gpt(input: Shape, outputs: Int) -> [any LayerSpecification] {
  let embedding: [any LayerSpecification] = [
    Flatten(), Shift(start: 2), Embedding(tokens: 3, width: 64), Positions(),
  ]
  let blocks = (0..<4).map { _ in transformerBlock(width: 64, heads: 4, hidden: 256, causal: true) }
  return embedding + blocks + [LayerNorm(), TokenDense(2)]
}

/// The names of its modules in PyTorch.
let gptNames = transformerNames(
  blocks: 4, ["embedding1": "tok", "positions1.positions": "pos", "layernorm1": "norm", "tokendense1": "out"])
