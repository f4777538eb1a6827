import NeuralNetworks
import Optimizers
import Tensors
import Testing

/// LAMB against its formula in Double: PyTorch has none.
@Suite struct LAMBTests {
  private static let layout = ParameterLayout([
    ParameterSpecification(name: "weights", shape: [37], initialiser: .zeros),
    ParameterSpecification(name: "bias", shape: [5], initialiser: .zeros, role: .bias),
    ParameterSpecification(name: "frozen", shape: [9], initialiser: .zeros, role: .frozen),
    ParameterSpecification(name: "average", shape: [6], initialiser: .zeros, role: .average),
    ParameterSpecification(name: "more", shape: [16], initialiser: .zeros),
    ParameterSpecification(name: "nothing", shape: [8], initialiser: .zeros),
  ])

  @Test func stepsAreThoseOfTheFormula() {
    let layout = Self.layout
    let lamb = LAMB(learningRate: 0.02, weightDecay: 0.1)
    let optimizer = lamb.makeOptimizer(for: layout, schedule: Schedule(.linear, warmup: 0, steps: 10))
    let theta = Buffer<Float>(count: layout.count)
    for place in layout.ranges.prefix(4).joined() { theta[place] = Float(place % 11) / 8 - 0.6 }
    var expected = theta.array.map(Double.init)
    var (m, v) = (expected.map { _ in 0.0 }, expected.map { _ in 0.0 })
    for step in 1...6 {
      let gradient = Buffer<Float>(count: layout.count)
      for place in layout.ranges.joined() { gradient[place] = Float((place * 31 + step * 17) % 23) - 11 }
      optimizer.update(theta, gradient: gradient, samples: 4, step: step)
      let rate = 0.02 * (1 - Double(step - 1) / 10)
      for (parameter, range) in zip(layout.parameters, layout.ranges)
      where parameter.role == .weight || parameter.role == .bias {
        let decay = parameter.role == .weight ? 0.1 : 0
        var direction: [Double] = []
        for place in range {
          let g = Double(gradient[place]) / 4
          m[place] = 0.9 * m[place] + 0.1 * g
          v[place] = 0.999 * v[place] + 0.001 * g * g
          let (mean, square) = (m[place] / (1 - pow(0.9, step)), v[place] / (1 - pow(0.999, step)))
          direction.append(mean / (square.squareRoot() + 1e-6) + decay * expected[place])
        }
        let norms = (norm(range.map { expected[$0] }), norm(direction))
        let trust = parameter.role == .weight && norms.0 > 0 && norms.1 > 0 ? norms.0 / norms.1 : 1
        for (place, u) in zip(range, direction) { expected[place] -= rate * trust * u }
      }
    }
    for place in 0..<layout.count { #expect(abs(Double(theta[place]) - expected[place]) < 2e-5, "\(place)") }
    // What is frozen stays, and a parameter of zeros moves all the same.
    for place in layout.ranges[2] { #expect(theta[place] == Float(place % 11) / 8 - 0.6) }
    for place in layout.ranges[4] { #expect(theta[place] != 0) }
  }

  /// The step's length is the learning rate's part of the parameter's, whatever the gradient's.
  @Test func aStepIsAsLongAsTheParameterSays() {
    for scale in [1e-3, 1, 1e3] as [Float] {
      let theta = Buffer<Float>(Array(repeating: 3, count: 20))
      let gradient = Buffer<Float>((0..<20).map { Float($0 - 7) * scale + 0.5 * scale })
      LAMB(learningRate: 0.01, weightDecay: 0).makeOptimizer(for: OptimizersTests.layout(20)).update(
        theta, gradient: gradient, samples: 1, step: 1)
      let moved = norm(theta.array.map { Double($0) - 3 })
      #expect(abs(moved - 0.01 * norm(Array(repeating: 3, count: 20))) < 1e-5)
    }
  }

  @Test func itsRecipeSaysWhatIsUnusual() {
    #expect(LAMB().settings.isEmpty && LAMB().name == "lamb" && !LAMB().isElementwise)
    #expect(LAMB(epsilon: 1e-8, weightDecay: 0.5).settings.map(\.key) == ["epsilon", "weight_decay"])
    #expect(LAMB(weightDecay: -1).fault != nil && LAMB().fault == nil)
  }

  private func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  private func pow(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { result, _ in result * base }
  }
}
