import Kernels
import Tensors

/// The sigmoid linear unit `y = x · σ(x)`, σ(x) = 1 / (1 + e⁻ˣ), of any shape (Elfwing et al. 2017; also called swish);
/// `y′ = σ(x) · (1 + x · (1 − σ(x)))`. Learns nothing.
public struct SiLU: LayerSpecification {
  public var kind: String { "silu" }

  /// A SiLU.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    SiLULayer()
  }
}

private final class SiLULayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    silu(input, into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    siluGradient(windows.outputGradient, input: windows.input, into: inputGradient)
  }
}
