import Kernels
import NeuralNetworks
import Tensors
import Testing

/// The convolution, ReLU and pool that the planner makes one layer of, against the three layers by themselves.
///
/// The planner fuses only where a network begins with the three and is not asked for its input's gradient, so asking for it
/// keeps them apart.
@Suite struct FusionTests {
  /// Every rank sets this, and more threads would change bits: OpenBLAS cuts the work by their number.
  init() { useOneBLASThread() }

  private static let sizes = [(4, 4, 16), (5, 4, 16), (6, 9, 48), (7, 7, 32), (12, 13, 16)]

  private func layers(_ channels: Int) -> [any LayerSpecification] {
    [Conv2D(filters: channels, kernel: 3), ReLU(), MaxPool2D(2)]
  }

  @Test(arguments: sizes)
  func equalsThePlainLayers(height: Int, width: Int, channels: Int) throws {
    let (samples, shape) = (5, [height, width, 1] as Shape)
    let fused = try Sequential(layers(channels), input: shape, capacity: samples)
    let plain = try Sequential(layers(channels), input: shape, capacity: samples, needsInputGradient: true)
    #expect(fused.outputShape == plain.outputShape)
    let layout = ParameterLayout(fused.parameters)
    let pass = Pass(samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let input = noise(samples * shape.count, seed: 1, stream: 1)
    let parameters = noise(layout.count, seed: 1, stream: 2)
    let count = samples * fused.outputShape.count
    let outputGradient = noise(count, seed: 1, stream: 3)
    let results = [fused, plain].map { network in
      let output = Buffer<Float>(count: count)
      let gradient = Buffer<Float>(count: layout.count)
      network.forward(input, parameters, into: output, pass)
      network.backward(
        outputGradient, input: input, output: output, parameters: parameters,
        into: network === plain ? Buffer(count: input.count) : nil, gradient: gradient, .replace, pass)
      return (output: output, gradient: gradient)
    }
    // Ten products of numbers below 1, and their sums over at most 5 · 30 windows, in another order.
    for k in 0..<count { #expect(abs(results[0].output[k] - results[1].output[k]) < 2e-6) }
    for k in 0..<layout.count { #expect(abs(results[0].gradient[k] - results[1].gradient[k]) < 5e-5) }
    #expect(results[0].output.array.contains(0) && results[0].output.array.contains { $0 > 1 })
  }

  @Test(arguments: sizes)
  func agreesWithDifferences(height: Int, width: Int, channels: Int) throws {
    let (samples, shape) = (2, [height, width, 1] as Shape)
    let oracle = try GradientOracle(
      Block(layers(channels)), input: shape, samples: samples, seed: 2, needsInputGradient: false)
    // Away from kinks: the output gradient is 0 where the largest of a window is within reach of 0 or of the next, so
    // that L does not depend on it. A step of 2h moves a convolution's output by 2h at most, inputs being below 1.
    let convolution = Conv2D(filters: channels, kernel: 3)
    let map = try convolution.outputShape(for: shape)
    let before = Buffer<Float>(count: samples * map.count)
    try convolution.makeLayer(input: shape, capacity: samples, needsInputGradient: false)
      .forward(oracle.input, oracle.parameters, into: before, oracle.pass)
    let reach = 5 * GradientOracle.step
    var kept = 0
    for at in 0..<oracle.outputGradient.count {
      let (channel, window) = (at % channels, at / channels)
      let (columns, rows) = (map[1] / 2, map[0] / 2)
      let (x, y, sample) = (window % columns, window / columns % rows, window / columns / rows)
      let values = (0..<4).map { place in
        before[((sample * map[0] + 2 * y + place / 2) * map[1] + 2 * x + place % 2) * channels + channel]
      }.sorted()
      if values[3] < -reach || (values[3] > reach && values[3] - values[2] > reach) {
        kept += 1
      } else {
        oracle.outputGradient[at] = 0
      }
    }
    #expect(kept > oracle.outputGradient.count / 3)
    oracle.check(ofInput: false)
  }

  /// A rectifier behind a normalisation, and behind the sum of a residual block: to the bit what the layers by themselves do, training
  /// or not.
  @Test func rectifiersBehindNormsAndSums() throws {
    let shape = [3, 5, 4] as Shape
    let cases: [any LayerSpecification] = [
      BatchNorm(), Residual([Conv2D(filters: 4, kernel: 3, padding: .same)]),
      Residual(
        [Conv2D(filters: 3, kernel: 3, padding: .same)], shortcut: [Conv2D(filters: 3, kernel: 1), BatchNorm()]),
    ]
    for first in cases {
      let planned = try Sequential([first, ReLU()], input: shape, capacity: 4, needsInputGradient: true)
      // A block of its own keeps them apart.
      let apart = try Sequential([Block([first]), ReLU()], input: shape, capacity: 4, needsInputGradient: true)
      let layout = ParameterLayout(planned.parameters)
      let parameters = Buffer(noise(layout.count, seed: 1, stream: 2).array.map { $0 + 1.5 })
      let input = noise(4 * shape.count, seed: 1, stream: 1)
      let count = 4 * planned.outputShape.count
      for pass in [Pass(samples: 4, noise: Noise(seed: 1, step: 1, firstPosition: 0)), Pass(samples: 4)] {
        let results = [planned, apart].map { network in
          let output = Buffer<Float>(count: count)
          let inputGradient = Buffer<Float>(count: input.count)
          let gradient = Buffer<Float>(count: layout.count)
          network.forward(input, parameters, into: output, pass)
          guard pass.isTraining else { return bits(output) }
          network.backward(
            noise(count, seed: 1, stream: 3), input: input, output: output, parameters: parameters, into: inputGradient,
            gradient: gradient, .replace, pass)
          return bits(output) + bits(inputGradient) + bits(gradient)
        }
        #expect(results[0] == results[1], "\(first)")
        #expect(planned.parameters.map(\.shape) == apart.parameters.map(\.shape))
      }
    }
  }

  @Test func namesAndOrderStay() throws {
    let article = try Model.named("article", input: [28, 28, 1], outputs: 10)
    let fused = try Sequential(article.layers, input: article.input, capacity: 2)
    let plain = try Sequential(article.layers, input: article.input, capacity: 2, needsInputGradient: true)
    #expect(
      fused.parameters.map(\.name) == ["convolution1.weights", "convolution1.bias", "dense1.weights", "dense1.bias"])
    #expect(fused.parameters == plain.parameters)
  }

  /// What the pooling kernels cannot do gives the same values as ever. Up to rounding: the planner may still put a ReLU into its
  /// convolution, and a convolution sums in another order where nobody asks for its input's gradient.
  @Test(
    arguments: [
      ([Conv2D(filters: 6, kernel: 3), ReLU(), MaxPool2D(2)], [6, 6, 1]),
      ([Conv2D(filters: 16, kernel: 5), ReLU(), MaxPool2D(2)], [8, 8, 1]),
      ([Conv2D(filters: 16, kernel: 3, padding: .same), ReLU(), MaxPool2D(2)], [6, 6, 1]),
      ([Conv2D(filters: 16, kernel: 3), ReLU(), MaxPool2D(3)], [8, 8, 1]),
      ([Conv2D(filters: 16, kernel: 3), ReLU(), MaxPool2D(2, stride: 1)], [8, 8, 1]),
      ([Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2, stride: 1)], [8, 8, 16]),
      ([Conv2D(filters: 16, kernel: 3), ReLU(), MaxPool2D(2)], [6, 6, 2]),
      ([Conv2D(filters: 24, kernel: 3), ReLU(), MaxPool2D(2)], [6, 6, 16]),
      ([Conv2D(filters: 16, kernel: 3), Sigmoid(), MaxPool2D(2)], [6, 6, 1]),
    ] as [([any LayerSpecification], [Int])])
  func othersStayRight(_ layers: [any LayerSpecification], input: [Int]) throws {
    let shape = Shape(input)
    let planned = try Sequential(layers, input: shape, capacity: 2)
    let apart = try Sequential(layers, input: shape, capacity: 2, needsInputGradient: true)
    let parameters = noise(ParameterLayout(planned.parameters).count, seed: 3)
    let outputs = [planned, apart].map { network in
      let output = Buffer<Float>(count: 2 * network.outputShape.count)
      network.forward(
        noise(2 * shape.count, seed: 4), parameters, into: output, Pass(samples: 2))
      return output
    }
    for k in 0..<outputs[0].count { #expect(abs(outputs[0][k] - outputs[1][k]) < 1e-5) }
    #expect(outputs[0].array.contains { $0 > 0.5 })
  }

  @Test func `A layer from outside says what it fuses with`() throws {
    for (count, expected) in [(1, 2), (2, 5), (3, 10), (4, 25)] as [(Int, Float)] {
      let network = try Sequential(Array(repeating: Doubling(), count: count), input: [3], capacity: 1)
      let output = Buffer<Float>(count: 3)
      network.forward(Buffer([1, -1, 0]), Buffer(count: 0), into: output, Pass(samples: 1, noise: nil))
      #expect(output.array == [expected, -expected, 0])
    }
  }
}

/// Doubles; a pair of them becomes one layer, which multiplies by 5 instead of 4, so that it can be told.
private struct Doubling: ElementwiseSpecification {
  var kind: String { "doubling" }
  func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion? { following.first is Doubling ? Fusion(Fivefold(), replacing: 2) : nil }
  static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { times(2, input, output) }
  static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    times(2, windows.outputGradient, inputGradient)
  }
}

private struct Fivefold: ElementwiseSpecification {
  var kind: String { "fivefold" }
  static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) { times(5, input, output) }
  static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    times(5, windows.outputGradient, inputGradient)
  }
}

private func times(_ factor: Float, _ input: Buffer<Float>, _ output: Buffer<Float>) {
  for index in 0..<input.count { output[index] = factor * input[index] }
}
