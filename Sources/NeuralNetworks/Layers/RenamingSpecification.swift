import Tensors

/// A layer that only renames its input's shape, as ``Flatten`` and ``Reshape`` do. A planned ``Sequential`` drops it: the memory stays as it
/// is, and what follows sees the new shape.
public protocol RenamingSpecification: LayerSpecification {}

extension RenamingSpecification {
  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    RenamingLayer()
  }

  /// PyTorch flattens an image with its channels first.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    let output = try outputShape(for: input.shape)
    if output == input.shape { return FrameworkModule(features: input.features) }
    let elements = input.elements(in: framework)
    if output.rank == 1 { return FrameworkModule(features: elements) }
    guard input.shape.rank > 1 || elements == ElementOrder(count: output.count) else {
      throw ModelError("a \(kind) of what was an image of several channels is another one in \(framework.rawValue)")
    }
    return FrameworkModule()
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
