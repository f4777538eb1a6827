import Tensors

/// VGG's recipe at MNIST's size (Simonyan & Zisserman 2014): three pairs of 3×3 convolutions of 32, 64 and 128 filters that keep the size,
/// each pair with a pooling behind it, then 256 hidden units. 584,170 parameters on 28×28×1 with ten outputs.
@Sendable
func vgg(input: Shape, outputs: Int) -> [any LayerSpecification] {
  var layers: [any LayerSpecification] = []
  for filters in [32, 64, 128] {
    let pair = [Conv2D(filters: filters, kernel: 3, padding: .same), ReLU()] as [any LayerSpecification]
    layers += pair + pair + [MaxPool2D(2)]
  }
  return layers + [Flatten(), Dense(256), ReLU(), Dropout(0.5), Dense(outputs)]
}
