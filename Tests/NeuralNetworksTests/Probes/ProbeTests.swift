import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Layers that the trainer does not have yet, plain and slow: they hold the `Layer` protocol to carrying them. Where it has one by now, it
/// stands in the probe's place.
/// `docs/architecture.md` says what they taught.
@Suite struct ProbeTests {
  init() { useOneBLASThread() }

  @Test func residual() throws {
    // A body whose last layer needs its own output for its gradient, which is not the block's.
    try GradientOracle(Residual([Dense(6), Sigmoid()]), input: [6], samples: 3, seed: 6).check()
    try checkAddition([Residual([Dense(6), Sigmoid()])], input: [6])
  }

  @Test func lstm() throws {
    try GradientOracle(LSTM(3), input: [5, 2], samples: 3, seed: 3).check()
    try checkAddition([LSTM(3), Dense(2)], input: [5, 2])
  }

  @Test func causalAttention() throws {
    let oracle = try GradientOracle(MultiHeadAttention(heads: 2, causal: true), input: [5, 4], samples: 3, seed: 4)
    oracle.check()
    try checkAddition([MultiHeadAttention(heads: 2, causal: true)], input: [5, 4])
    // No output knows a later token.
    func output() -> Buffer<Float> {
      let output = Buffer<Float>(count: oracle.input.count)
      oracle.layer.forward(oracle.input, oracle.parameters, into: output, oracle.pass)
      return output
    }
    let before = output()
    for k in 3 * 4..<5 * 4 { oracle.input[k] += 1 }
    let after = output()
    #expect(bits(before.prefix(12)) == bits(after.prefix(12)))
    #expect(bits(before[12..<20]) != bits(after[12..<20]))
  }

  @Test func ghostBatchNorm() throws {
    let oracle = try GradientOracle(BatchNorm(), input: [2, 3, 4], samples: 5, seed: 5)
    oracle.check()
    try checkAddition([Conv2D(filters: 3, kernel: 2), BatchNorm(), ReLU(), Dense(2)], input: [4, 3, 1])
    // What travels in the gradient's place: sums over samples, which evaluation reads once a step has averaged them.
    let gradient = Buffer<Float>(count: oracle.layout.count)
    let output = Buffer<Float>(count: oracle.input.count)
    oracle.layer.forward(oracle.input, oracle.parameters, into: output, oracle.pass)
    oracle.layer.backward(
      oracle.outputGradient, input: oracle.input, output: output, parameters: oracle.parameters, into: nil,
      gradient: gradient, .replace, oracle.pass)
    for (place, unbiased) in [(2, 1), (3, 30 / 29)] as [(Int, Float)] {
      for at in oracle.layout.ranges[place] {
        oracle.parameters[at] = gradient[at] / Float(oracle.pass.samples) / unbiased
      }
    }
    let evaluated = Buffer<Float>(count: output.count)
    oracle.layer.forward(oracle.input, oracle.parameters, into: evaluated, Pass(samples: 5))
    for k in 0..<output.count { #expect(abs(evaluated[k] - output[k]) < 1e-5) }
  }

  /// Per-sample gradients are passes over one sample
  /// each with the plan for many: their sum is the microbatch's gradient.
  @Test func perPixelLossAndPerSampleGradients() throws {
    let model = Model(name: "probe", input: [6], layers: [Dense(7), Sigmoid(), Dense(12), Reshape([6, 2])])
    let network = try Network(model, loss: PixelSoftmaxCrossEntropy(pixels: 6), capacity: 9)
    let parameters = noise(network.layout.count, seed: 1)
    let inputs = noise(9 * 6, seed: 2)
    let values = Buffer(inputs.array.map { $0 > 0 ? 1 : 0 as Float })
    let examples = Examples(samples: 9, inputs: inputs, labels: Buffer(count: 0), values: values)
    let together = Buffer<Float>(count: network.layout.count)
    let whole = network.differentiate(
      examples, parameters: parameters, into: together, .replace,
      noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let apart = Buffer<Float>(count: network.layout.count)
    var loss = 0.0
    for sample in 0..<9 {
      loss +=
        network.differentiate(
          examples.part(sample..<sample + 1), parameters: parameters, into: apart, sample == 0 ? .replace : .add,
          noise: Noise(seed: 1, step: 1, firstPosition: sample)
        ).loss
    }
    #expect(abs(loss - whole.loss) < 1e-4)
    for k in 0..<together.count { #expect(abs(together[k] - apart[k]) < 1e-5) }
    // Central differences of the loss by one weight.
    let step: Float = 1 / 32
    let losses = [step, -2 * step].map { change in
      parameters[3] += change
      return network.evaluate(examples, parameters: parameters).loss
    }
    #expect(abs((losses[0] - losses[1]) / Double(2 * step) - Double(together[3])) < 2e-3)
  }
}
