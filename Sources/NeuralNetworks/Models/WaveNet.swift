import Tensors

/// Gated, dilated, causal convolutions that predict each of an image's black and white pixels from those before it, row by row (van den Oord
/// et al. 2016): width 32, skip connections of 64, dilations 1, 2, 4, … 512, so that a pixel sees the 1,023 before it. Output [pixels]. 76,513
/// parameters on 28×28×1.
@Sendable
func wavenet(input: Shape, outputs: Int) -> [any LayerSpecification] {
  let pixels = input.count
  return [
    Flatten(), Shift(start: 0), Reshape([pixels, 1]), TokenDense(32),
    GatedStack(skip: 64, dilations: (0..<10).map { 1 << $0 }), ReLU(), TokenDense(64), ReLU(), TokenDense(1),
    Reshape([pixels]),
  ]
}

/// The names of its modules in PyTorch, where layers over steps are convolutions of one step.
let wavenetNames = ModuleNames(
  names: ["tokendense1": "inp", "gatedstack1": "", "tokendense2": "o1", "tokendense3": "o2"],
  pointwise: ["tokendense1", "tokendense2", "tokendense3"])
