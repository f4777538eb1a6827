import Tensors

/// A vision transformer (Dosovitskiy et al. 2020) at MNIST's size: patches of 4×4 as tokens of width 64, a class token, learnt positions,
/// and six blocks of four heads and 128 hidden units. 205,962 parameters on 28×28×1 with ten outputs.
///
/// The class token is taken before the last normalisation, which treats each token by itself.
@Sendable
func vit(input: Shape, outputs: Int) -> [any LayerSpecification] {
  [Patches(4)] + visionTransformerTrunk() + [Token(0), LayerNorm(), Dense(outputs)]
}

/// The layers of a vision transformer between its patches and what it reads off: [patches, …] → [patches + 1, 64], the class token first.
func visionTransformerTrunk() -> [any LayerSpecification] {
  let embedding: [any LayerSpecification] = [TokenDense(64), ClassToken(), Positions()]
  return embedding + (0..<6).map { _ in transformerBlock(width: 64, heads: 4, hidden: 128) }
}

/// The names in PyTorch of the trunk's modules and of the last normalisation, and of the module that reads off, which is `output` here.
func visionTransformerNames(output: String, _ others: [String: String] = [:]) -> ModuleNames {
  let names = [
    "tokendense1": "patch", "classtoken1.token": "cls", "positions1.positions": "pos", "layernorm1": "norm",
    output: "out",
  ]
  return transformerNames(blocks: 6, names.merging(others) { $1 })
}
