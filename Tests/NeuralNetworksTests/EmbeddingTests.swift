import NeuralNetworks
import Tensors
import Testing

@Suite struct EmbeddingTests {
  /// A net from a file may be given any data: what is no token ends no process, and is not passed over.
  @Test func whatIsNoTokenIsNotFinite() throws {
    let model = Model(name: "net", input: [4], layers: [Embedding(tokens: 3, width: 2), Dense(5), ReLU(), Dense(2)])
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 2), capacity: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 0)
    for (value, isToken) in [(2, true), (0.5, false), (-1, false), (3, false), (.nan, false), (1e30, false)]
      as [(Float, Bool)]
    {
      let gradient = Buffer<Float>(count: network.layout.count)
      let loss = network.differentiate(
        Examples(inputs: Buffer([0, 1, 2, value]), labels: Buffer([1])), parameters: parameters, into: gradient,
        .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0)
      ).loss
      let isFinite = loss.isFinite && gradient.array.allSatisfy { $0.isFinite }
      #expect(isFinite == isToken, "\(value)")
    }
  }
}
