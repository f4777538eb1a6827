import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Gradients are not worked out where nothing is learnt from them.
@Suite struct FrozenStagesTests {
  init() { useOneBLASThread() }

  private let model = Model("frozen", input: [6, 6, 1]) {
    Conv2D(filters: 4, kernel: 3)
    ReLU()
    Block([Conv2D(filters: 4, kernel: 3), BatchNorm()])
    Flatten()
    Dense(5)
    Dense(3)
  }

  /// The gradient by name, in the place of ones.
  private func gradients(freezing patterns: [String] = []) throws -> [String: [Float]] {
    let network = try Network(
      model, loss: SoftmaxCrossEntropy(classes: 3), capacity: 4, frozen: patterns.map { Glob($0) })
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 7)
    let inputs = Buffer<Float>((0..<4 * 36).map { Float($0 % 11) / 11 })
    let gradient = Buffer<Float>(count: network.layout.count)
    gradient.fill(1)
    network.differentiate(
      Examples(inputs: inputs, labels: Buffer([0, 1, 2, 0])), parameters: parameters, into: gradient, .replace,
      noise: Noise(seed: 1, step: 1, firstPosition: 0))
    return Dictionary(
      uniqueKeysWithValues: zip(network.layout.parameters, network.layout.ranges).map {
        ($0.name, gradient[$1].array)
      })
  }

  @Test func theFirstStagesAreLeftAlone() throws {
    let all = try gradients()
    for (patterns, untouched) in [
      (["convolution1*"], ["convolution1"]),
      (["convolution1*", "block1*"], ["convolution1", "block1"]),
      (["convolution1*", "block1*", "dense1*"], ["convolution1", "block1", "dense1"]),
      // Averages move, weights are learnt, and what is behind has gradients that come through.
      (["convolution1*", "block1.convolution*"], ["convolution1"]),
      (["convolution1.weights", "block1*"], []),
      (["dense2*"], []),
    ] {
      let some = try gradients(freezing: patterns)
      for (name, values) in some {
        let isUntouched = untouched.contains { name.hasPrefix($0) }
        #expect(values == (isUntouched ? values.map { _ in 0 } : all[name]), "\(name) with \(patterns) frozen")
      }
    }
  }
}
