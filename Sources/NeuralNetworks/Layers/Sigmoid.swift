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

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    SigmoidLayer()
  }
}

private final class SigmoidLayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    sigmoid(input, into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    sigmoidGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}
