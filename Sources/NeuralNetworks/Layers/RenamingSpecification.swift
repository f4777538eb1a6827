import Tensors

/// A layer that only renames its input's shape, as ``Flatten`` and ``Reshape`` do. A planned ``Sequential`` drops it: the memory stays as it
/// is, and what follows sees the new shape.
public protocol RenamingSpecification: LayerSpecification {}

extension RenamingSpecification {
  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    RenamingLayer()
  }
}

/// What a layer that is called by itself does.
private final class RenamingLayer: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    output.copy(from: input)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    windows.inputGradient?.copy(from: windows.outputGradient)
  }
}
