import Kernels
import Tensors

/// The rectifier `y = max(x, 0)`, `y′(0) = 0`, of any shape; learns nothing.
public struct ReLU: LayerSpecification {
  public var kind: String { "relu" }

  /// A rectifier.
  public init() {}

  public func outputShape(for input: Shape) throws(ModelError) -> Shape { input }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws(ModelError) -> any Layer {
    ReLULayer()
  }
}

private final class ReLULayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    rectify(input, into: output)
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    guard let inputGradient else { return }
    rectifyGradient(outputGradient, output: output, into: inputGradient)
  }
}
