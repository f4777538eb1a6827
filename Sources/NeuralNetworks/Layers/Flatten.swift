import Tensors

/// Renames the shape `[h, w, c]` to `[h · w · c]`, channels fastest, as Keras does; PyTorch's order differs. A planned
/// ``Sequential`` drops it, because the memory stays the same.
public struct Flatten: LayerSpecification {
  public var kind: String { "flatten" }

  /// A flattening.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape { [input.count] }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    FlattenLayer()
  }
}

private final class FlattenLayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    output.copy(from: input)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    windows.inputGradient?.copy(from: windows.outputGradient)
  }
}
