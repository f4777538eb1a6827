import Tensors

/// BERT's pretraining (Devlin et al. 2018) with patches in the place of words, which is SimMIM (Xie et al. 2022): `vit`'s layers see an image
/// with some of its pixels hidden and predict these from the others. 206,368 parameters on 28×28×2, a pixel and whether it is hidden.
///
/// Output [patches, 16]. Up to the last normalisation its parameters have the names and shapes of `vit`'s, which can begin with them.
@Sendable
func bert(input: Shape, outputs: Int) -> [any LayerSpecification] {
  [MaskedPatches(4)] + visionTransformerTrunk() + [Tokens(from: 1), LayerNorm(), TokenDense(16)]
}
