import Tensors

/// A layer that computes a position from nothing but its own input.
final class PositionStepper: Stepper {
  private let compute: (Buffer<Float>, ParameterBlock, Int, Buffer<Float>) -> Void

  /// - Parameter compute: takes the input, the parameters, the position and the output.
  init(_ compute: @escaping (Buffer<Float>, ParameterBlock, Int, Buffer<Float>) -> Void) { self.compute = compute }

  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>) {
    compute(input, parameters, position, output)
  }
}
