import Kernels
import Tensors

/// The Gaussian error linear unit (Hendrycks & Gimpel 2016) in its approximation by tanh, as GPT-2 has it:
/// `y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, of any shape; learns nothing. PyTorch calls it `gelu(approximate="tanh")`.
public struct GELU: LayerSpecification {
  public var kind: String { "gelu" }

  /// A GELU.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    GELULayer()
  }
}

private final class GELULayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    gelu(input, into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    geluGradient(windows.outputGradient, input: windows.input, into: inputGradient)
  }
}
