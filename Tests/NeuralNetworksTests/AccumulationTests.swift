import Kernels
import NeuralNetworks
import Tensors
import Testing

/// The contract that the fixed tree's bits rest on: `.add` onto what a gradient buffer holds gives, bit for bit, what
/// `.replace` elsewhere and an elementwise addition give, because a sum is complete before it is added.
@Suite struct AccumulationTests {
  /// Every rank sets this, and more threads would change bits: OpenBLAS cuts the work by their number.
  init() { useOneBLASThread() }

  private static let sampleCounts = [1, 2, 3, 5, 7, 9, 13, 17, 21, 29, 32, 33, 37, 40, 64, 65, 97, 150]

  private func check(_ layers: [any LayerSpecification], input shape: Shape, fromImages: Bool = false) throws {
    for samples in Self.sampleCounts {
      // Planned for more than it is given, as a short last microbatch is, and without.
      for capacity in [samples, samples + 31] {
        let layer = try Sequential(layers, input: shape, capacity: capacity, needsInputGradient: !fromImages)
        let layout = ParameterLayout(layer.parameters)
        let pass = Pass(samples: samples, isTraining: true)
        let seed = UInt64(samples)
        let input = noise(samples * shape.count, seed: seed, stream: 1)
        let parameters = noise(layout.count, seed: seed, stream: 2)
        let output = Buffer<Float>(count: samples * layer.outputShape.count)
        let outputGradient = noise(output.count, seed: seed, stream: 3)
        let inputGradient = fromImages ? nil : Buffer<Float>(count: input.count)
        func backward(into gradient: Buffer<Float>, _ accumulation: Accumulation) {
          layer.backward(
            outputGradient, input: input, output: output, parameters: parameters, into: inputGradient,
            gradient: gradient, accumulation, pass)
        }

        layer.forward(input, parameters, into: output, pass)
        // NaN wherever a value must be replaced and never read.
        let alone = Buffer<Float>(count: layout.count)
        alone.fill(.nan)
        backward(into: alone, .replace)
        let held = noise(layout.count, seed: seed, stream: 4)
        let added = Buffer(held.array)
        backward(into: added, .add)
        for (parameter, range) in zip(layout.parameters, layout.ranges) {
          let expected = range.map { held[$0] + alone[$0] }
          #expect(
            bits(added[range]) == expected.map(\.bitPattern),
            "\(parameter.name), \(samples) samples of at most \(capacity)")
        }
        // The gaps between parameters belong to nobody.
        let gaps = Set(0..<layout.count).subtracting(layout.ranges.joined())
        #expect(gaps.allSatisfy { added[$0] == held[$0] && alone[$0].isNaN })
      }
    }
  }

  @Test(arguments: [(16, 1), (16, 10), (48, 5), (1424, 6), (19, 10), (5, 3), (40, 33), (33, 47), (272, 128)])
  func dense(inputs: Int, units: Int) throws { try check([Dense(units)], input: [inputs]) }

  @Test(arguments: [Conv2D.Padding.valid, .same])
  func convolution(padding: Conv2D.Padding) throws {
    try check([Conv2D(filters: 5, kernel: 3, padding: padding)], input: [6, 5, 3])
    try check([Conv2D(filters: 2, kernel: 3, padding: padding)], input: [10, 10, 1])
  }

  @Test func fused() throws {
    for filters in [16, 32] {
      try check(
        [Conv2D(filters: filters, kernel: 3), ReLU(), MaxPool2D(2)], input: [9, 8, 1], fromImages: true)
    }
  }

  @Test func sequential() throws {
    try check(
      [Conv2D(filters: 3, kernel: 3), ReLU(), MaxPool2D(2), Flatten(), Block([Dense(35), Sigmoid()]), Dense(10)],
      input: [8, 8, 2])
  }

  /// A layer that learns nothing has nothing to add: its input gradient replaces what is there under both.
  @Test func inputGradientsAlwaysReplace() throws {
    let layers: [(any LayerSpecification, Shape)] = [
      (Dense(10), [16]), (Dense(34), [5]), (Conv2D(filters: 2, kernel: 3), [5, 5, 2]), (ReLU(), [7]), (Sigmoid(), [7]),
      (MaxPool2D(2), [5, 4, 3]), (Flatten(), [2, 2, 2]),
    ]
    for (specification, shape) in layers {
      let layer = try specification.makeLayer(input: shape, capacity: 3, needsInputGradient: true)
      let layout = ParameterLayout(layer.parameters)
      let pass = Pass(samples: 3, isTraining: true)
      let input = noise(3 * shape.count, seed: 1, stream: 1)
      let parameters = noise(layout.count, seed: 1, stream: 2)
      let output = Buffer<Float>(count: 3 * (try specification.outputShape(for: shape)).count)
      let outputGradient = noise(output.count, seed: 1, stream: 3)
      layer.forward(input, parameters, into: output, pass)
      let inputGradients = [Accumulation.replace, .add].map { accumulation in
        let inputGradient = Buffer<Float>(count: input.count)
        inputGradient.fill(.nan)
        layer.backward(
          outputGradient, input: input, output: output, parameters: parameters, into: inputGradient,
          gradient: Buffer(count: layout.count), accumulation, pass)
        return bits(inputGradient)
      }
      #expect(inputGradients[0] == inputGradients[1], "\(specification)")
      #expect(inputGradients[0].allSatisfy { Float(bitPattern: $0).isFinite }, "\(specification)")
    }
  }
}
