import NeuralNetworks
import Tensors
import Testing

/// One checker for every layer, after flashlight's `AutogradTestUtils`: the gradients that a layer works out against central
/// differences of L = Σ outputGradient · output.
///
/// The perturbed value is a Float, as the layer takes no other, and the differences of the outputs are summed in Double. The
/// differences are of fourth order, `(8·(L(h) − L(−h)) − (L(2h) − L(−2h))) / 12h`, with h = 1/32: the truncation h⁴·L⁗′/30
/// is then about 3·10⁻⁸, below the outputs' rounding 6·10⁻⁸·|y|/h ≈ 2·10⁻⁶ a term. Two points would need h ≈ 1/200 to
/// truncate as little as they round, and round seven times as much there. The tolerance, 5·10⁻⁴ of the largest gradient (seen: 8·10⁻⁵),
/// leaves room for sums of a few hundred terms; a wrong formula is wrong by 10⁻¹ and more.
///
/// A layer with kinks (ReLU, max-pooling) is smooth between them: give it inputs further than 2h from the next one.
struct GradientOracle {
  static let step: Float = 1 / 32
  static let tolerance = 5e-4

  let layer: any Layer
  let layout: ParameterLayout
  let pass: Pass
  /// A test may overwrite these before it checks.
  let input: Buffer<Float>
  let parameters: Buffer<Float>
  let outputGradient: Buffer<Float>
  private let output: Buffer<Float>

  init(
    _ specification: any LayerSpecification, input shape: Shape, samples: Int, seed: UInt64,
    needsInputGradient: Bool = true
  ) throws {
    layer = try specification.makeLayer(input: shape, capacity: samples, needsInputGradient: needsInputGradient)
    layout = ParameterLayout(layer.parameters)
    pass = Pass(samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    input = noise(samples * shape.count, seed: seed, stream: 1)
    parameters = noise(layout.count, seed: seed, stream: 2)
    outputGradient = noise(samples * (try specification.outputShape(for: shape)).count, seed: seed, stream: 3)
    output = Buffer(count: outputGradient.count)
  }

  /// Records an issue for each gradient that is off: of the input if `ofInput`, and of every parameter but those named and
  /// averages, which have none.
  func check(ofInput: Bool = true, except excluded: Set<String> = [], _ location: SourceLocation = #_sourceLocation) {
    // What the layer must overwrite is NaN before it does.
    let inputGradient = Buffer<Float>(count: input.count)
    let gradient = Buffer<Float>(count: parameters.count)
    inputGradient.fill(.nan)
    gradient.fill(.nan)
    output.fill(.nan)
    layer.forward(input, parameters, into: output, pass)
    layer.backward(
      outputGradient, input: input, output: output, parameters: parameters, into: ofInput ? inputGradient : nil,
      gradient: gradient, .replace, pass)
    if ofInput { compare("input", inputGradient, by: input, location) }
    for (parameter, range) in zip(layout.parameters, layout.ranges)
    where parameter.role != .average && !excluded.contains(parameter.name) {
      compare(parameter.name, gradient[range], by: parameters[range], location)
    }
  }

  private func compare(
    _ name: String, _ analytic: Buffer<Float>, by variable: Buffer<Float>, _ location: SourceLocation
  ) {
    let numeric = (0..<variable.count).map { difference(variable, $0) }
    let largest = numeric.map(abs).max() ?? 0
    #expect(largest > 0, "no gradient by \(name) at all", sourceLocation: location)
    var worst = (index: 0, error: 0.0)
    for (index, expected) in numeric.enumerated() {
      let error = abs(Double(analytic[index]) - expected)
      if !(error <= worst.error) { worst = (index, error) }
    }
    #expect(
      worst.error <= Self.tolerance * largest,
      "gradient by \(name)[\(worst.index)]: \(analytic[worst.index]), by differences \(numeric[worst.index])",
      sourceLocation: location)
  }

  private func difference(_ variable: Buffer<Float>, _ index: Int) -> Double {
    let value = variable[index]
    defer { variable[index] = value }
    func loss(_ steps: Float) -> [Float] {
      variable[index] = value + steps * Self.step
      layer.forward(input, parameters, into: output, pass)
      return output.array
    }
    let (near, far) = ((loss(1), loss(-1)), (loss(2), loss(-2)))
    var sum = 0.0
    for k in 0..<outputGradient.count {
      let difference = 8 * (Double(near.0[k]) - Double(near.1[k])) - (Double(far.0[k]) - Double(far.1[k]))
      sum += Double(outputGradient[k]) * difference
    }
    return sum / (12 * Double(Self.step))
  }
}
