import Tensors

/// A ``Projection`` as a layer: `weights` [units, inputs] and `bias` [units].
final class ProjectionLayer: Layer {
  private let projection: Projection
  let parameters: [ParameterSpecification]

  /// A layer of up to `capacity` rows: the samples, or, if there are many, their tokens.
  init(inputs: Int, units: Int, capacity: Int, hasManyRows: Bool = false) {
    projection = Projection(inputs: inputs, units: units, capacity: capacity, hasManyRows: hasManyRows)
    parameters = Projection.parameters(inputs: inputs, units: units)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    projection.forward(input, weights: parameters[0], bias: parameters[1], into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    projection.backward(
      windows.outputGradient, input: windows.input, weights: windows.parameters[0], into: windows.gradient, at: 0,
      inputGradient: windows.inputGradient)
  }
}
