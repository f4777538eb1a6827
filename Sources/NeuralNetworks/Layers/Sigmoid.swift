import Kernels
import Tensors

/// The logistic function `y = 1 / (1 + e⁻ˣ)`, `y′ = y · (1 − y)`, of any shape; learns nothing.
///
/// For hidden layers. A binary classifier's last sigmoid belongs to its loss, ``SigmoidCrossEntropy``, which does not
/// overflow.
public struct Sigmoid: LayerSpecification {
  public var kind: String { "sigmoid" }

  /// A logistic function.
  public init() {}

  public func outputShape(for input: Shape) throws(ModelError) -> Shape { input }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws(ModelError) -> any Layer {
    SigmoidLayer()
  }
}

private final class SigmoidLayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    sigmoid(input, into: output)
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    guard let inputGradient else { return }
    sigmoidGradient(outputGradient, output: output, into: inputGradient)
  }
}
