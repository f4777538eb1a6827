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
