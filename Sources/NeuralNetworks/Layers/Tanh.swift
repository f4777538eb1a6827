import Kernels
import Tensors

/// The hyperbolic tangent `y = tanh(x)`, `y′ = 1 − y²`, of any shape; learns nothing.
public struct Tanh: ElementwiseSpecification {
  public var kind: String { "tanh" }

  /// A hyperbolic tangent.
  public init() {}

  public static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { tanh(input, into: output) }

  public static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    tanhGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}

extension Tanh: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
