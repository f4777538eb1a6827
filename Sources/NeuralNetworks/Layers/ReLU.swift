import Kernels
import Tensors

/// The rectifier `y = max(x, 0)`, `y′(0) = 0`, of any shape; learns nothing.
public struct ReLU: ElementwiseSpecification {
  public var kind: String { "relu" }

  /// A rectifier.
  public init() {}

  public static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { rectify(input, into: output) }

  public static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    rectifyGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}

extension ReLU: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
