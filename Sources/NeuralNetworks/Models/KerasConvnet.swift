import Tensors

/// Keras' own MNIST example (keras.io, "Simple MNIST convnet"): 34,826 parameters on 28×28×1 with ten outputs; 0.9922 in 15 epochs.
@Sendable
func kerasConvnet(input: Shape, outputs: Int) -> [any LayerSpecification] {
  [
    Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2), Conv2D(filters: 64, kernel: 3), ReLU(), MaxPool2D(2),
    Flatten(),
    Dropout(0.5), Dense(outputs),
  ]
}
