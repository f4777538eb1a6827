import Tensors

/// ResNet-20 (He et al. 2015, § 4.2): a convolution, then three times three blocks of two 3×3 convolutions of 16, 32 and 64
/// filters, each with batch normalisation and gone around, by a projection where the shape changes; the mean of each
/// channel is classified. 272,186 parameters on 28×28×1 with ten outputs.
@Sendable
func resnet(input: Shape, outputs: Int) -> [any LayerSpecification] {
  func convolution(_ filters: Int, kernel: Int = 3, stride: Int = 1) -> [any LayerSpecification] {
    [Conv2D(filters: filters, kernel: kernel, padding: .same, stride: stride, bias: false), BatchNorm()]
  }
  var layers = convolution(16) + [ReLU()]
  for (filters, stride) in [(16, 1), (32, 2), (64, 2)] {
    for block in 0..<3 {
      let stride = block == 0 ? stride : 1
      let body = convolution(filters, stride: stride) + [ReLU()] + convolution(filters)
      layers.append(
        Residual(body, shortcut: stride == 1 ? [] : convolution(filters, kernel: 1, stride: stride)))
      layers.append(ReLU())
    }
  }
  return layers + [GlobalAveragePool2D(), Dense(outputs)]
}

/// The names of its modules in PyTorch: the blocks have the rectifier behind them, so their numbers are not ours.
let resnetNames: ModuleNames = {
  var names = ["convolution1": "0", "batchnorm1": "1", "dense1": "14"]
  for block in 1...9 {
    let (ours, theirs) = ("residual\(block)", "\(block + 2)")
    for (layer, name) in [
      ("convolution1", "c1"), ("batchnorm1", "b1"), ("convolution2", "c2"), ("batchnorm2", "b2"),
      ("shortcut.convolution1", "short.0"), ("shortcut.batchnorm1", "short.1"),
    ] { names["\(ours).\(layer)"] = "\(theirs).\(name)" }
  }
  return ModuleNames(names: names)
}()
