import Kernels
import Tensors

/// The Gaussian error linear unit (Hendrycks & Gimpel 2016) in its approximation by tanh, as GPT-2 has it:
/// `y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, of any shape; learns nothing. PyTorch calls it `gelu(approximate="tanh")`.
public struct GELU: ElementwiseSpecification {
  public var kind: String { "gelu" }

  /// A GELU.
  public init() {}

  public static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { gelu(input, into: output) }

  public static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    geluGradient(windows.outputGradient, input: windows.input, into: inputGradient)
  }
}

extension GELU: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
