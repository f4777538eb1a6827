import Kernels
import NeuralNetworks
import ReductionReference
import Tensors
import Testing

/// A dense layer leaves out the data's columns that are zero in all samples of a pass, and nothing changes by it.
@Suite struct SparseInputTests {
  init() { useOneBLASThread() }

  /// Images with black edges, of which some samples have less.
  private static func images(_ samples: Int, side: Int, edge: Int) -> Buffer<Float> {
    let values = noise(samples * side * side, seed: 1)
    return Buffer(
      (0..<samples * side * side).map { at in
        let (row, column) = (at % (side * side) / side, at % side)
        let edge = min(edge + at / (side * side) % 3, (side - 1) / 2)
        return (edge..<side - edge).contains(row) && (edge..<side - edge).contains(column) ? values[at] : 0
      })
  }

  /// What asks for no gradient of its input may leave columns out, what asks for it does not.
  @Test(arguments: [(28, 4, 512), (28, 4, 100), (28, 0, 64), (12, 3, 33), (9, 2, 40), (7, 4, 48)])
  func theBitsAreThoseOfAllColumns(side: Int, edge: Int, units: Int) throws {
    let shape: Shape = [side, side, 1]
    let layers: [any LayerSpecification] = [Flatten(), Dense(units)]
    for precision in [ProductPrecision.fp32, .bf16] {
      for (samples, microbatch) in [(1, 1), (16, 4), (29, 4), (128, 32), (100, 32)] {
        let x = Self.images(samples, side: side, edge: edge)
        let g = noise(samples * units, seed: 3)
        let results = try [true, false].map { needsInputGradient in
          let layer = try Sequential(
            layers, input: shape, capacity: samples, needsInputGradient: needsInputGradient)
          let layout = ParameterLayout(layer.parameters)
          let parameters = noise(layout.count, seed: 2)
          let pass = Pass(
            samples: samples, noise: Noise(seed: 5, step: 2, firstPosition: 0), microbatch: microbatch,
            precision: precision)
          let output = Buffer<Float>(count: samples * units)
          let inputGradient = needsInputGradient ? Buffer<Float>(count: x.count) : nil
          let gradient = Buffer<Float>(count: layout.count)
          for accumulation in [Accumulation.replace, .add] {
            layer.forward(x, parameters, into: output, pass)
            layer.backward(
              g, input: x, output: output, parameters: parameters, into: inputGradient, gradient: gradient,
              accumulation, pass)
          }
          return bits(output) + bits(gradient)
        }
        // Not within `#expect`, which would look for the difference of the arrays for minutes.
        let areSame = results[0] == results[1]
        #expect(areSame, "\(samples) samples of \(side) × \(side), \(precision)")
      }
    }
  }
}
