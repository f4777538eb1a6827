import Kernels
import Tensors

/// The logistic function `y = 1 / (1 + e⁻ˣ)`, `y′ = y · (1 − y)`, of any shape; learns nothing.
///
/// For hidden layers. A binary classifier's last sigmoid belongs to its loss, ``SigmoidCrossEntropy``, which does not
/// overflow.
public struct Sigmoid: ElementwiseSpecification {
  public var kind: String { "sigmoid" }

  /// A logistic function.
  public init() {}

  public static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { sigmoid(input, into: output) }

  public static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    sigmoidGradient(windows.outputGradient, output: windows.output, into: inputGradient)
  }
}

extension Sigmoid: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
