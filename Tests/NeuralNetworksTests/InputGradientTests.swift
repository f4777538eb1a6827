import Kernels
import NeuralNetworks
import Tensors
import Testing

/// What an explanation asks for: how the loss changes with each input.
@Suite struct InputGradientTests {
  init() { useOneBLASThread() }

  @Test func aNetworkGivesItWhereItIsPlannedFor() throws {
    let model = Model("net", input: [6, 6, 2]) {
      Conv2D(filters: 3, kernel: 3)
      Sigmoid()
      Flatten()
      Dense(4)
    }
    let loss = SoftmaxCrossEntropy(classes: 4)
    let network = try Network(model, loss: loss, capacity: 5, needsInputGradient: true)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 1)
    let inputs = noise(3 * 72, seed: 2)
    let examples = Examples(inputs: inputs, labels: Buffer([0, 3, 1]))
    network.differentiate(
      examples, parameters: parameters, into: Buffer(count: network.layout.count), .replace,
      noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let found = try #require(network.inputGradient).array
    // Central differences; the outputs' rounding is 6·10⁻⁸ of a loss of 4, over a step of 1/32.
    let step: Float = 1 / 32
    for index in stride(from: 0, to: inputs.count, by: 7) {
      let value = inputs[index]
      let losses = [value + step, value - step].map { changed in
        inputs[index] = changed
        return network.evaluate(examples, parameters: parameters).loss
      }
      inputs[index] = value
      #expect(abs((losses[0] - losses[1]) / Double(2 * step) - Double(found[index])) < 1e-3)
    }
    #expect(try Network(model, loss: loss, capacity: 5).inputGradient == nil)
  }

  /// A loss over images: it wants an output of their shape, not so many numbers in any.
  private struct Reconstruction: Loss {
    var outputs: Int { 12 }
    var outputShape: Shape { [2, 2, 3] }

    func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
      LossSums(samples: examples.samples)
    }
  }

  @Test func aLossSaysTheShapeItWants() throws {
    let fits = Model("fits", input: [2, 2, 3]) { ReLU() }
    _ = try Network(fits, loss: Reconstruction(), capacity: 1)
    let flat = Model("flat", input: [2, 2, 3]) {
      Flatten()
      Dense(12)
    }
    #expect(throws: ModelError("model flat gives outputs of shape [12], but the task needs [2, 2, 3]")) {
      try Network(flat, loss: Reconstruction(), capacity: 1)
    }
  }
}
