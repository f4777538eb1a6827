import Kernels
import Tensors

/// The sigmoid linear unit `y = x · σ(x)`, σ(x) = 1 / (1 + e⁻ˣ), of any shape (Elfwing et al. 2017; also called swish);
/// `y′ = σ(x) · (1 + x · (1 − σ(x)))`. Learns nothing.
public struct SiLU: ElementwiseSpecification {
  public var kind: String { "silu" }

  /// A SiLU.
  public init() {}

  public static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { silu(input, into: output) }

  public static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    siluGradient(windows.outputGradient, input: windows.input, into: inputGradient)
  }
}

extension SiLU: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
