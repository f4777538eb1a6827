import Tensors

/// The planning pass: replaces runs of layers that one kernel does in a single pass. Parameters, their names and order stay.
func fused(
  _ layers: [any LayerSpecification], input: Shape, needsInputGradient: Bool
) -> [any LayerSpecification] {
  if !needsInputGradient, layers.count >= 3, let convolution = layers[0] as? Conv2D, layers[1] is ReLU,
    let pool = layers[2] as? MaxPool2D, let whole = ConvolutionReLUPool(convolution, pool, input: input)
  {
    return [whole] + layers.dropFirst(3)
  }
  return layers
}
