import Tensors

/// A layer that computes each value from the one in its place alone, of any shape, and learns nothing: an activation.
public protocol ElementwiseSpecification: LayerSpecification {
  /// Computes `output` from `input`, of the same count.
  static func forward(_ input: Buffer<Float>, into output: Buffer<Float>)

  /// Computes ∂loss/∂input from the other windows.
  static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>)
}

extension ElementwiseSpecification {
  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    ElementwiseLayer<Self>()
  }
}

private final class ElementwiseLayer<Function: ElementwiseSpecification>: Layer {
  var parameters: [ParameterSpecification] { [] }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    Function.forward(input, into: output)
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    PositionStepper { input, _, _, output in Function.forward(input, into: output) }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    if let inputGradient = windows.inputGradient { Function.backward(windows, into: inputGradient) }
  }
}
