import Tensors

/// PyTorch's own MNIST example (pytorch/examples, mnist/main.py): 1,199,882 parameters on 28×28×1 with ten outputs; 0.99185 in 14
/// epochs.
@Sendable
func pytorchConvnet(input: Shape, outputs: Int) -> [any LayerSpecification] {
  [
    Conv2D(filters: 32, kernel: 3), ReLU(), Conv2D(filters: 64, kernel: 3), ReLU(), MaxPool2D(2), Dropout(0.25),
    Flatten(),
    Dense(128), ReLU(), Dropout(0.5), Dense(outputs),
  ]
}
