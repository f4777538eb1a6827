import Tensors

/// `BatchNorm` → `ReLU` as one layer, which the planning pass puts in their place: the same values, two passes over
/// memory less.
struct BatchNormReLU: LayerSpecification {
  var kind: String { BatchNorm().kind }

  func outputShape(for input: Shape) throws -> Shape { try BatchNorm().outputShape(for: input) }

  func learntCount(for input: Shape) -> Double { BatchNorm().learntCount(for: input) }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    BatchNormLayer(channels: try BatchNorm.channels(of: input), capacity: capacity, rectifying: true)
  }
}
