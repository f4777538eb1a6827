import Kernels
import Tensors

/// The rectifier `y = max(x, 0)`, `y′(0) = 0`, of any shape; learns nothing.
public struct ReLU: LayerSpecification {
  public var kind: String { "relu" }

  /// A rectifier.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    ReLULayer()
  }
}

private final class ReLULayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    rectify(input, into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    rectifyGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}
