import Tensors

/// The article's network (§ 5.2), the default: Conv2D(32, 3×3, ReLU) → MaxPool 2×2 → Flatten → Dense. 54,410 parameters
/// on 28×28×1 with ten outputs. Its head gives logits; the softmax, or the article's own sigmoid, is the loss' part.
@Sendable
func article(input: Shape, outputs: Int) -> [any LayerSpecification] {
  [Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2), Flatten(), Dense(outputs)]
}
