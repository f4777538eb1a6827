import Tensors

/// The size of the score's slope in each value: `|∂F/∂x|`.
///
/// Source: Simonyan, Vedaldi & Zisserman 2013 (arXiv 1312.6034).
public struct Saliency: AttributionMethod {
  public var name: String { "saliency" }

  /// A map of slopes.
  public init() {}

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) -> Attribution {
    let values = Buffer<Float>(count: input.count)
    network.forEachGradient(of: target, count: 1, fill: { $1.copy(from: input) }) { _, _, gradient in
      for index in 0..<values.count { values[index] = abs(gradient[index]) }
    }
    return Attribution(values: values, shape: network.model.input, isSigned: false)
  }
}
