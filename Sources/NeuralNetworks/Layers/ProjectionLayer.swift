import Kernels
import Tensors

/// A ``Projection`` of each token as a layer: `weights` [units, inputs] and `bias` [units].
final class ProjectionLayer: ResidualAdding {
  private let projection: Projection
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }

  /// A layer of up to `capacity` rows.
  init(inputs: Int, units: Int, capacity: Int) {
    projection = Projection(inputs: inputs, units: units, capacity: capacity)
    parameters = Projection.parameters(inputs: inputs, units: units)
  }

  func forward(
    _ input: Buffer<Float>, _ parameters: ParameterBlock, residual: Buffer<Float>?, into output: Buffer<Float>,
    _ pass: Pass
  ) {
    projection.forward(
      input, weights: parameters[0], bias: parameters[1], residual: residual, into: output, pass)
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    let weights = parameters[0].shape
    let projection = Projection(inputs: weights[1], units: weights[0], capacity: samples)
    // The weights stay the same from position to position.
    var pass = Pass(samples: samples)
    return PositionStepper { input, parameters, position, output in
      if position == 0 { pass = Pass(samples: samples, weights: WeightsVersion()) }
      projection.forward(input, weights: parameters[0], bias: parameters[1], into: output, pass)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    projection.backward(
      windows.outputGradient, input: windows.input, weights: windows.parameters[0], into: windows.gradient, at: 0,
      inputGradient: windows.inputGradient, pass)
  }
}

extension ProjectionLayer: SampleNorms {
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    let (rows, sums) = (windows.input.count / pass.samples, windows.output.count / pass.samples)
    let gradient = GradientBlock(windows.gradient.sums, .replace)
    for sample in 0..<pass.samples {
      let row = sample..<sample + 1
      projection.backward(
        windows.outputGradient.rows(row, of: sums), input: windows.input.rows(row, of: rows),
        weights: windows.parameters[0], into: gradient, at: 0,
        inputGradient: windows.inputGradient?.rows(row, of: rows), pass)
      for place in parameters.indices { norms[sample] += sumOfSquares(gradient[place]) }
    }
  }
}
