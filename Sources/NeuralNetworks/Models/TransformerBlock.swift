/// A block of a transformer with its normalisations before attention and dense layers (Xiong et al. 2020), each pair gone around, over
/// `[tokens, width]`: attention of `heads` heads, then `hidden` units a token with GELU.
func transformerBlock(width: Int, heads: Int, hidden: Int, causal: Bool = false) -> Block {
  Block([
    Residual {
      LayerNorm()
      MultiHeadAttention(heads: heads, causal: causal)
    },
    Residual {
      LayerNorm()
      TokenDense(hidden)
      GELU()
      TokenDense(width)
    },
  ])
}

/// The names of the modules of a transformer of `blocks` blocks, beside those in `others`.
func transformerNames(blocks: Int, _ others: [String: String]) -> ModuleNames {
  var names = others
  for block in 1...blocks {
    let (ours, theirs) = ("block\(block)", "blocks.\(block - 1)")
    let attention = "\(ours).residual1.attention1"
    names.merge([
      "\(ours).residual1.layernorm1": "\(theirs).n1",
      "\(attention).in_proj_weight": "\(theirs).qkv.weight", "\(attention).in_proj_bias": "\(theirs).qkv.bias",
      "\(attention).out_proj.weight": "\(theirs).proj.weight", "\(attention).out_proj.bias": "\(theirs).proj.bias",
      "\(ours).residual2.layernorm1": "\(theirs).n2",
      "\(ours).residual2.tokendense1": "\(theirs).up", "\(ours).residual2.tokendense2": "\(theirs).down",
    ]) { $1 }
  }
  return ModuleNames(names: names)
}
