import Kernels
import NeuralNetworks
import Tensors
import Testing

/// The many-channel convolution, ReLU and pool that the planner makes one layer of, against the three layers by themselves.
@Suite struct PooledConvolutionTests {
  init() { useOneBLASThread() }

  /// Rows of a patch of 6, 9, 12, 18 and 24 vectors of eight lanes, so that the block of twelve and its remainder are both met, at 16
  /// lanes three rows at once and single ones; maps whose last row or column belongs to no window; eight rows of windows, of which
  /// backward takes three at once; and a row of pixels so long that it takes one. With zeros around the image, kernels larger than it too.
  private static let cases: [(height: Int, width: Int, inputChannels: Int, kernel: Int, filters: Int, Conv2D.Padding)] =
    [
      (6, 7, 16, 3, 32, .valid), (5, 5, 48, 2, 32, .valid), (7, 6, 32, 3, 64, .valid), (4, 6, 48, 3, 32, .valid),
      (8, 8, 64, 3, 32, .valid), (9, 8, 16, 5, 32, .valid), (13, 13, 32, 3, 64, .valid), (18, 26, 32, 3, 32, .valid),
      (6, 150, 64, 3, 32, .valid), (6, 7, 16, 5, 32, .same), (14, 14, 32, 5, 64, .same), (3, 4, 16, 7, 32, .same),
    ]

  private struct Result {
    var output: Buffer<Float>
    var inputGradient: Buffer<Float>
    var gradient: Buffer<Float>
  }

  @Test(arguments: cases.indices)
  func equalsThePlainLayers(_ index: Int) throws {
    let size = Self.cases[index]
    let (samples, shape) = (3, [size.height, size.width, size.inputChannels] as Shape)
    let three: [any LayerSpecification] = [
      Conv2D(filters: size.filters, kernel: size.kernel, padding: size.5), ReLU(), MaxPool2D(2),
    ]
    let fused = try Sequential(three, input: shape, capacity: samples, needsInputGradient: true)
    let layout = ParameterLayout(fused.parameters)
    let pass = Pass(samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let input = noise(samples * shape.count, seed: 1, stream: 1)
    let parameters = noise(layout.count, seed: 1, stream: 2)
    let outputGradient = noise(samples * fused.outputShape.count, seed: 1, stream: 3)

    let output = Buffer<Float>(count: outputGradient.count)
    let gradient = Buffer<Float>(count: layout.count)
    let inputGradient = Buffer<Float>(count: input.count)
    fused.forward(input, parameters, into: output, pass)
    fused.backward(
      outputGradient, input: input, output: output, parameters: parameters, into: inputGradient, gradient: gradient,
      .replace, pass)

    let plain = try run(three, shape, input, parameters, outputGradient, pass)
    // Some hundreds of products of numbers below 1, in another order.
    #expect(distance(output, plain.output) < 2e-5)
    #expect(distance(inputGradient, plain.inputGradient) < 2e-5)
    #expect(distance(gradient, plain.gradient) < 2e-4)
    #expect(output.array.contains(0) && output.array.contains { $0 > 1 })
  }

  /// The layers one at a time, so that no planner sees them together.
  private func run(
    _ layers: [any LayerSpecification], _ shape: Shape, _ input: Buffer<Float>, _ parameters: Buffer<Float>,
    _ outputGradient: Buffer<Float>, _ pass: Pass
  ) throws -> Result {
    var made: [any Layer] = []
    var values = [input]
    var shapes = [shape]
    for layer in layers {
      made.append(
        try layer.makeLayer(input: shapes[shapes.count - 1], capacity: pass.samples, needsInputGradient: true))
      shapes.append(try layer.outputShape(for: shapes[shapes.count - 1]))
      let next = Buffer<Float>(count: pass.samples * shapes[shapes.count - 1].count)
      let own = made.count == 1 ? parameters : Buffer<Float>(count: 0)
      made[made.count - 1].forward(values[values.count - 1], own, into: next, pass)
      values.append(next)
    }
    let gradient = Buffer<Float>(count: parameters.count)
    var current = outputGradient
    for index in made.indices.reversed() {
      let before = Buffer<Float>(count: values[index].count)
      made[index].backward(
        current, input: values[index], output: values[index + 1],
        parameters: index == 0 ? parameters : Buffer<Float>(count: 0), into: before,
        gradient: index == 0 ? gradient : Buffer<Float>(count: 0), .replace, pass)
      current = before
    }
    return Result(output: values[values.count - 1], inputGradient: current, gradient: gradient)
  }

  private func distance(_ a: Buffer<Float>, _ b: Buffer<Float>) -> Float {
    (0..<a.count).reduce(0) { max($0, abs(a[$1] - b[$1])) }
  }

  /// Each window's winner is decided beyond any step of the oracle's: output channel c reads one corner of its kernel most, which
  /// lies on a square of 2×2 pixels for each window, and of each square one pixel stands out. Every fifth ReLU is closed.
  @Test func gradientsUnderTheOracle() throws {
    let (inputChannels, filters) = (laneCount, 2 * laneCount)
    let layers = Block([Conv2D(filters: filters, kernel: 3), ReLU(), MaxPool2D(2)])
    let oracle = try GradientOracle(layers, input: [6, 6, inputChannels], samples: 2, seed: 12)
    for pixel in 0..<2 * 36 {
      let (y, x) = (pixel % 36 / 6, pixel % 6)
      let standsOut = (y / 2 * 3 + x / 2 * 5 + pixel / 36) % 4 == y % 2 * 2 + x % 2
      for c in 0..<inputChannels { oracle.input[pixel * inputChannels + c] += standsOut ? 6 : 0 }
    }
    let weights = oracle.parameters[oracle.layout.ranges[0]]
    for at in 0..<weights.count {
      let (tap, c) = (at / filters / inputChannels, at % filters)
      weights[at] = 0.02 * weights[at] + (tap == [0, 2, 6, 8][c % 4] ? 1 / Float(inputChannels) : 0)
    }
    let bias = oracle.parameters[oracle.layout.ranges[1]]
    for c in 0..<filters { bias[c] = c % 5 == 4 ? -30 : 4 }
    oracle.check()
  }

  @Test func keepsTheAdditionContract() throws {
    try checkAddition([Conv2D(filters: 32, kernel: 3), ReLU(), MaxPool2D(2)], input: [6, 6, 16])
    try checkAddition([Conv2D(filters: 32, kernel: 5, padding: .same), ReLU(), MaxPool2D(2)], input: [6, 6, 16])
  }
}
