import Kernels
import NeuralNetworks
import Tensors
import Testing

/// The gradients of a pass without noise: of what an evaluation computes, by central differences.
@Suite struct EvaluationGradientTests {
  init() { useOneBLASThread() }

  @Test(arguments: [false, true]) func normalisationAndDropout(_ isRectified: Bool) throws {
    let layers: [any LayerSpecification] =
      [BatchNorm()] + (isRectified ? [ReLU()] : []) + [Dropout(0.5), Conv2D(filters: 2, kernel: 2)]
    let (samples, shape) = (3, [4, 4, 3] as Shape)
    let network = try Sequential(layers, input: shape, capacity: samples, needsInputGradient: true)
    let layout = ParameterLayout(network.parameters)
    let weights = noise(layout.count, seed: 1)
    for (parameter, range) in zip(layout.parameters, layout.ranges) where parameter.name.hasSuffix("variance") {
      for place in range { weights[place] = 0.5 + abs(weights[place]) }
    }
    let input = noise(samples * shape.count, seed: 2)
    let (output, seed) = (Buffer<Float>(count: samples * 18), noise(samples * 18, seed: 3))
    let (inputGradient, gradient) = (Buffer<Float>(count: input.count), noise(layout.count, seed: 4))
    let pass = Pass(samples: samples)
    func score() -> Double {
      network.forward(input, ParameterBlock(weights, layout), into: output, pass)
      return (0..<output.count).reduce(0.0) { $0 + Double(output[$1] * seed[$1]) }
    }
    _ = score()
    network.backward(
      BackwardWindows(
        outputGradient: seed, input: input, output: output, parameters: ParameterBlock(weights, layout),
        inputGradient: inputGradient, gradient: GradientBlock(gradient, layout, .replace)), pass)
    func check(_ values: Buffer<Float>, _ index: Int, _ found: Float) {
      let (value, step): (Float, Float) = (values[index], 1 / 1024)
      let ends = [value + step, value - step].map { changed in
        values[index] = changed
        return score()
      }
      values[index] = value
      // Small, so that no rectifier turns within it.
      let expected = (ends[0] - ends[1]) / Double(2 * step)
      #expect(abs(expected - Double(found)) < 0.02, "\(index): \(found) for \(expected)")
    }
    for index in 0..<input.count { check(input, index, inputGradient[index]) }
    for (parameter, range) in zip(layout.parameters, layout.ranges) {
      for place in range {
        // The averages are constants, of no gradient.
        if parameter.role == .average { #expect(gradient[place] == 0) } else { check(weights, place, gradient[place]) }
      }
    }
  }
}
