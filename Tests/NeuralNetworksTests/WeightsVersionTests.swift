import Kernels
import NeuralNetworks
import Tensors
import Testing

/// What layers keep of weights from pass to pass.
@Suite struct WeightsVersionTests {
  private static let samples = 3

  /// Layers that lay weights out, with the shape of a sample's input.
  private static let layers: [(name: String, layer: any LayerSpecification, input: Shape)] = [
    ("dense of tokens", TokenDense(20), [5, 12]), ("attention", MultiHeadAttention(heads: 2), [5, 12]),
    ("RNN", RNN(17), [4, 7]), ("LSTM", LSTM(17), [4, 7]), ("GRU", GRU(17), [4, 7]),
    ("convolution", Conv2D(filters: 32, kernel: 3, padding: .same), [4, 5, 32]),
    ("convolution of stride 2", Conv2D(filters: 16, kernel: 3, padding: .same, stride: 2), [5, 6, 16]),
  ]

  /// A layer in a container, which rounds its factors, and its results for weights of a seed.
  private struct Probe {
    let layer: Sequential
    let precision: ProductPrecision

    init(_ specification: any LayerSpecification, _ shape: Shape, _ precision: ProductPrecision) throws {
      layer = try Sequential([specification], input: shape, capacity: samples, needsInputGradient: true)
      self.precision = precision
    }

    /// Output and gradients of the input, which follow from the weights.
    func run(seed: UInt64, _ weights: WeightsVersion?) -> [Float] {
      let pass = Pass(
        samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0), precision: precision, weights: weights)
      let input = noise(samples * layer.inputShape.count, seed: 1)
      let parameters = noise(ParameterLayout(layer.parameters).count, seed: seed)
      let output = Buffer<Float>(count: samples * layer.outputShape.count)
      let (inputGradient, gradient) = (Buffer<Float>(count: input.count), Buffer<Float>(count: parameters.count))
      layer.forward(input, parameters, into: output, pass)
      layer.backward(
        noise(output.count, seed: 2), input: input, output: output, parameters: parameters, into: inputGradient,
        gradient: gradient, .replace, pass)
      return output.array + inputGradient.array
    }
  }

  @Test(arguments: layers.indices, ProductPrecision.allCases)
  func `Weights are taken again when their version is another, or none`(
    index: Int, precision: ProductPrecision
  ) throws {
    let (_, specification, shape) = Self.layers[index]
    func fresh(seed: UInt64) throws -> [Float] { try Probe(specification, shape, precision).run(seed: seed, nil) }
    let (first, other) = (try fresh(seed: 3), try fresh(seed: 4))
    let probe = try Probe(specification, shape, precision)
    let version = WeightsVersion()
    #expect(probe.run(seed: 3, version) == first)
    // The promise of a version broken: so it is seen that weights are kept. Biases are not.
    #expect(probe.run(seed: 4, version) != other)
    #expect(probe.run(seed: 4, WeightsVersion()) == other)
    #expect(probe.run(seed: 3, nil) == first)
    #expect(probe.run(seed: 4, nil) == other)
    // A pass without a version has left its own weights behind.
    #expect(probe.run(seed: 3, version) == first)
    #expect(probe.run(seed: 3, version) == first)
  }

  @Test func `Every version is another`() {
    let versions = (0..<100).map { _ in WeightsVersion() }
    #expect(Set(versions).count == 100)
  }
}
