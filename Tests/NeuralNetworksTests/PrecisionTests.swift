import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Passes whose products have factors of bfloat16.
@Suite(.serialized) struct PrecisionTests {
  /// A layer in a container, which rounds its factors, with all that a pass of it gives.
  private struct Run {
    let layout: ParameterLayout
    let output: [Float]
    let inputGradient: [Float]
    let gradient: [Float]

    init(
      _ layers: [any LayerSpecification], input shape: Shape, samples: Int, precision: ProductPrecision,
      _ change: (Buffer<Float>) -> Void = { _ in }
    ) throws {
      let layer = try Sequential(layers, input: shape, capacity: samples, needsInputGradient: true)
      layout = ParameterLayout(layer.parameters)
      let pass = Pass(
        samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0), precision: precision)
      let (input, parameters) = (noise(samples * shape.count, seed: 1), noise(layout.count, seed: 2))
      let count = samples * layer.outputShape.count
      let outputGradient = noise(count, seed: 3)
      change(input)
      change(outputGradient)
      for (parameter, range) in zip(layout.parameters, layout.ranges) where parameter.role == .weight {
        change(parameters[range])
      }
      let before = [input.array, parameters.array, outputGradient.array]
      let output = Buffer<Float>(count: count)
      let (inputGradient, gradient) = (Buffer<Float>(count: input.count), Buffer<Float>(count: layout.count))
      layer.forward(input, parameters, into: output, pass)
      layer.backward(
        outputGradient, input: input, output: output, parameters: parameters, into: inputGradient, gradient: gradient,
        .replace, pass)
      // They are the caller's, and stay.
      #expect([input.array, parameters.array, outputGradient.array] == before)
      (self.output, self.inputGradient, self.gradient) = (output.array, inputGradient.array, gradient.array)
    }

    var all: [[Float]] { [output, inputGradient] + layout.ranges.map { Array(gradient[$0]) } }
  }

  /// Each kernel of layers that are one product.
  private static let single: [(name: String, layer: any LayerSpecification, input: Shape)] = [
    ("small dense", Dense(10), [32]), ("wide dense", Dense(40), [19]), ("far dense", Dense(36), [1040]),
    ("dense of tokens", TokenDense(20), [5, 12]), ("patches and sgemm", Conv2D(filters: 3, kernel: 2), [5, 4, 3]),
    ("direct convolution", Conv2D(filters: 32, kernel: 3), [6, 6, 32]),
    ("strided convolution", Conv2D(filters: 32, kernel: 3, padding: .same, stride: 2, bias: false), [8, 8, 32]),
    ("Winograd's", Conv2D(filters: 32, kernel: 3, padding: .same), [6, 6, 32]),
  ]

  @Test(arguments: single.indices)
  func `A layer has the bits of the same layer on rounded factors`(_ index: Int) throws {
    let (name, layer, input) = Self.single[index]
    let flushed = FlushedDenormals()
    let expected = try Run([layer], input: input, samples: 3, precision: .fp32) { roundToBFloat16($0, into: $0) }
    let found = try Run([layer], input: input, samples: 3, precision: .bf16)
    flushed.end()
    let exact = try Run([layer], input: input, samples: 3, precision: .fp32)
    #expect(found.all == expected.all, "\(name)")
    for (own, other) in zip(found.all, exact.all) where own.count > 1 { #expect(own != other, "\(name)") }
  }

  private static let others: [(name: String, layers: [any LayerSpecification], input: Shape)] = [
    ("rnn", [RNN(17)], [5, 9]), ("lstm", [LSTM(16)], [4, 7]), ("gru", [GRU(16)], [4, 7]),
    ("one step", [LSTM(16)], [1, 7]), ("attention", [MultiHeadAttention(heads: 2)], [6, 16]),
    ("causal attention", [MultiHeadAttention(heads: 2, causal: true)], [70, 16]),
    ("gated stack", [GatedStack(skip: 24, dilations: [1, 2, 4])], [9, 16]),
    ("residual", [Residual([TokenDense(16), GELU(), TokenDense(16)])], [5, 16]),
    ("pooled", [Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2), Flatten(), Dense(9)], [8, 8, 32]),
    ("normalised", [Conv2D(filters: 32, kernel: 3, padding: .same, bias: false), BatchNorm(), ReLU()], [6, 6, 32]),
  ]

  /// Within what eight bits of mantissa lose, and different: what a layer multiplies within is rounded as well.
  @Test(arguments: others.indices)
  func `Layers of many products are near those of single precision`(_ index: Int) throws {
    let (name, layers, input) = Self.others[index]
    let exact = try Run(layers, input: input, samples: 3, precision: .fp32)
    let rounded = try Run(layers, input: input, samples: 3, precision: .fp32) { roundToBFloat16($0, into: $0) }
    let found = try Run(layers, input: input, samples: 3, precision: .bf16)
    // With the same factors, so that a pool has the same winners.
    for (place, (own, other)) in zip(found.all, rounded.all).enumerated() {
      let largest = other.reduce(0) { max($0, abs($1)) }
      let error = zip(own, other).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      #expect(error <= 0.04 * largest, "\(name), \(place): \(error) of \(largest)")
    }
    #expect(found.output != exact.output && found.gradient != exact.gradient, "\(name)")
    // A step without one before it multiplies nothing else forward.
    #expect(found.gradient != rounded.gradient || name == "one step", "\(name)")
  }

  /// On a processor whose products of bfloat16 are faster, factors are laid out in pairs.
  @Test(arguments: single.indices.map { ([single[$0].layer], single[$0].input) } + others.map { ($0.layers, $0.input) })
  func `Factors in pairs give the same bits`(_ layers: [any LayerSpecification], input: Shape) throws {
    ProductPrecision.layOut(inPairs: false)
    defer { ProductPrecision.layOut(inPairs: nil) }
    let flushed = FlushedDenormals()
    defer { flushed.end() }
    let expected = try Run(layers, input: input, samples: 3, precision: .bf16)
    ProductPrecision.layOut(inPairs: true)
    let found = try Run(layers, input: input, samples: 3, precision: .bf16)
    #expect(found.all == expected.all)
  }

  /// The sum goes around the rounding: x itself is added, not the factor.
  @Test func `The way around a residual block is not rounded`() throws {
    let layer = try Sequential([Residual([TokenDense(4)])], input: [1, 4], capacity: 1)
    let parameters = Buffer<Float>(count: ParameterLayout(layer.parameters).count)
    let (input, output) = (Buffer<Float>([1 + 0x1p-20, 2, 3, 4]), Buffer<Float>(count: 4))
    layer.forward(input, parameters, into: output, Pass(samples: 1, precision: .bf16))
    #expect(output.array == input.array)
  }

  /// As in single precision: a pass over several microbatches is the tree over theirs.
  @Test func `Several microbatches at once have the bits of the tree`() throws {
    let network = try Network(
      Model.named("mlp:20-40-40-10", input: [20], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10), capacity: 16,
      precision: .bf16)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 1)
    let (inputs, labels) = (noise(16 * 20, seed: 1), Buffer<Int32>((0..<16).map { Int32($0 % 10) }))
    func gradient(_ samples: Range<Int>, microbatch: Int?) -> [Float] {
      let examples = Examples(
        inputs: inputs[samples.lowerBound * 20..<samples.upperBound * 20], labels: labels[samples])
      let sum = Buffer<Float>(count: network.layout.count)
      network.differentiate(
        examples, parameters: parameters, into: sum, .replace,
        noise: Noise(seed: 1, step: 1, firstPosition: samples.lowerBound), microbatch: microbatch)
      return sum.array
    }
    let parts = (0..<4).map { gradient($0 * 4..<$0 * 4 + 4, microbatch: nil) }
    let expected = (0..<network.layout.count).map { (parts[0][$0] + parts[1][$0]) + (parts[2][$0] + parts[3][$0]) }
    #expect(gradient(0..<16, microbatch: 4) == expected)
  }
}
