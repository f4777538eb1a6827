import Kernels
import Tensors

/// `Conv2D` → `ReLU` as one layer, which the planning pass puts in their place.
///
/// Input `[height, width, channels]` → output like the convolution's. Parameters and values are those of the two
/// layers, up to rounding. The convolution's own output is never written.
struct ConvolutionReLU: LayerSpecification {
  private let convolution: Conv2D
  var kind: String { convolution.kind }

  /// nil if the kernel cannot do these sizes, or is not the faster one.
  init?(_ convolution: Conv2D, input: Shape, needsInputGradient: Bool) {
    guard let shape = try? convolution.convolutionShape(for: input),
      SampleConvolutionLayer.kernel(for: shape, needsInputGradient: needsInputGradient) != nil
    else { return nil }
    self.convolution = convolution
  }

  func outputShape(for input: Shape) throws -> Shape { try convolution.outputShape(for: input) }

  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    convolution.trainingOperations(for: input, needsInputGradient: needsInputGradient)
  }

  func learntCount(for input: Shape) -> Double { convolution.learntCount(for: input) }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try convolution.convolutionShape(for: input)
    guard
      let kernel = SampleConvolutionLayer.kernel(for: shape, needsInputGradient: needsInputGradient)?
        .init(shape, needsInputGradient: needsInputGradient)
    else {
      preconditionFailure("a fused convolution of \(input), which its planner had checked")
    }
    return SampleConvolutionLayer(
      kernel, parameters: convolution.parameters(channels: shape.inputChannels), rectifying: true)
  }
}
