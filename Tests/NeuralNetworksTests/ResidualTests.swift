import Kernels
import NeuralNetworks
import Tensors
import Testing

/// A residual block against its two ways, each by itself: whether the body's last and first layers add the other way, forward and
/// back, or not, the bits are those of a sum.
@Suite struct ResidualTests {
  private static let shape: Shape = [5, 6]
  private static let samples = 3

  /// What a layer gives of the same input, parameters and output's gradient.
  private struct Run {
    let output: Buffer<Float>
    let inputGradient: Buffer<Float>
    let gradient: Buffer<Float>

    init(
      _ specification: any LayerSpecification, _ parameters: (Int) -> Buffer<Float>, _ precision: ProductPrecision
    ) throws {
      let layer = try specification.makeLayer(input: shape, capacity: samples, needsInputGradient: true)
      let count = samples * shape.count
      let pass = Pass(samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0), precision: precision)
      let (input, outputGradient) = (noise(count, seed: 1), noise(count, seed: 2))
      let parameters = parameters(ParameterLayout(layer.parameters).count)
      output = Buffer(count: count)
      inputGradient = Buffer(count: count)
      gradient = Buffer(count: parameters.count)
      layer.forward(input, parameters, into: output, pass)
      layer.backward(
        outputGradient, input: input, output: output, parameters: parameters, into: inputGradient, gradient: gradient,
        .replace, pass)
    }
  }

  /// Bodies whose last layer is a dense layer over tokens, attention, and one that adds nothing.
  private static let bodies: [[any LayerSpecification]] = [
    [TokenDense(6)], [LayerNorm(), TokenDense(17), GELU(), TokenDense(6)], [LayerNorm(), MultiHeadAttention(heads: 2)],
    [TokenDense(6), Sigmoid()], [Residual([TokenDense(6)])],
  ]

  @Test(arguments: bodies.indices, ProductPrecision.allCases)
  func `Both ways are added`(body: Int, precision: ProductPrecision) throws {
    for shortcut: [any LayerSpecification] in [[], [TokenDense(6)], [LayerNorm()]] {
      let (own, other) = (Block(Self.bodies[body]), shortcut.isEmpty ? nil : Block(shortcut))
      let count = try ParameterLayout(
        own.makeLayer(input: Self.shape, capacity: 1, needsInputGradient: true).parameters
      ).count
      let residual = try Run(Residual(own.layers, shortcut: shortcut), { noise($0, seed: 3) }, precision)
      let ownRun = try Run(own, { noise($0, seed: 3) }, precision)
      let otherRun = try other.map { other in
        try Run(other, { Buffer(Array(noise(count + $0, seed: 3).array[count...])) }, precision)
      }
      let size = Self.samples * Self.shape.count
      let added = otherRun?.output ?? noise(size, seed: 1)
      #expect(residual.output.array == (0..<size).map { ownRun.output[$0] + added[$0] })
      let gradientAdded = otherRun?.inputGradient ?? noise(size, seed: 2)
      #expect(residual.inputGradient.array == (0..<size).map { ownRun.inputGradient[$0] + gradientAdded[$0] })
      #expect(residual.gradient.array == ownRun.gradient.array + (otherRun?.gradient.array ?? []))
    }
  }
}
