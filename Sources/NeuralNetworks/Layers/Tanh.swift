import Kernels
import Tensors

/// The hyperbolic tangent `y = tanh(x)`, `y′ = 1 − y²`, of any shape; learns nothing.
public struct Tanh: LayerSpecification {
  public var kind: String { "tanh" }

  /// A hyperbolic tangent.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    TanhLayer()
  }
}

private final class TanhLayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    tanh(input, into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    tanhGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}
