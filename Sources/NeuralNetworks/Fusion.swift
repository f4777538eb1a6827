import Kernels
import Tensors

/// The planning pass: replaces neighbouring layers by one if a kernel does them in a single pass. Parameters, their
/// names and order stay. Throws ``ModelError`` if a layer cannot take its input.
func fused(
  _ layers: [any LayerSpecification], input: Shape, needsInputGradient: Bool
) throws -> [any LayerSpecification] {
  var result: [any LayerSpecification] = []
  var shape = input
  var index = 0
  while index < layers.count {
    var layer = layers[index]
    var width = 1
    let needsInputGradient = needsInputGradient || !result.isEmpty
    if let convolution = layer as? Conv2D, index + 1 < layers.count, layers[index + 1] is ReLU {
      if index + 2 < layers.count, let pool = layers[index + 2] as? MaxPool2D,
        let whole = pooledConvolution(convolution, pool, input: shape, needsInputGradient: needsInputGradient)
      {
        (layer, width) = (whole, 3)
      } else if let both = ConvolutionReLU(convolution, input: shape, needsInputGradient: needsInputGradient) {
        (layer, width) = (both, 2)
      }
    }
    result.append(layer)
    shape = try layer.outputShape(for: shape)
    index += width
  }
  return result
}

/// Convolution, ReLU and pooling as one layer; nil if no kernel does these sizes.
private func pooledConvolution(
  _ convolution: Conv2D, _ pool: MaxPool2D, input: Shape, needsInputGradient: Bool
) -> (any LayerSpecification)? {
  // The kernel for one channel has no input gradient: only a network's first layer has one channel in practice.
  if !needsInputGradient, let whole = ConvolutionReLUPool(convolution, pool, input: input) { return whole }
  return PooledConvolution(convolution, pool, input: input)
}
