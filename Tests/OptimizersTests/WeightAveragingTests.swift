import NeuralNetworks
import Optimizers
import Tensors
import Testing

/// Averages beside any optimizer's steps.
@Suite struct WeightAveragingTests {
  private static let layout = ParameterLayout([
    ParameterSpecification(name: "a", shape: [21], initialiser: .zeros),
    ParameterSpecification(name: "b", shape: [7], initialiser: .zeros, role: .frozen),
    ParameterSpecification(name: "c", shape: [40], initialiser: .zeros, role: .bias),
  ])

  private static func block(_ factor: Int) -> Buffer<Float> {
    let block = Buffer<Float>(count: layout.count)
    for place in layout.ranges.joined() { block[place] = Float((place * factor) % 19) / 8 - 1 }
    return block
  }

  /// Weights and averages after five steps, in slices that begin at `starts`.
  private static func trained(_ specification: any OptimizerSpecification, _ starts: [Int]) -> (
    weights: [UInt32], averages: [UInt32]
  ) {
    let theta = block(5)
    let ends = starts.dropFirst() + [layout.count]
    let parts = zip(starts, ends).map { start, end in
      let state = OptimizerState(specification.stateNames, of: start..<end)
      return specification.makeOptimizer(state: state, layout: layout, schedule: .constant)
    }
    for part in parts { part.begin(with: theta) }
    for step in 1...5 {
      for part in parts {
        part.update(theta, gradient: block(step + 2), in: part.state.range, scale: 0.5, step: step)
      }
    }
    return (
      theta.array.map(\.bitPattern),
      parts.flatMap { $0.state.moments.last?.values.array ?? [] }.map(\.bitPattern)
    )
  }

  @Test(arguments: optimizers.indices)
  func theStepsAreTheBases(_ index: Int) {
    let base = optimizers[index]
    let averaging = WeightAveraging(base, decay: 0.75)
    #expect(averaging.stateNames == base.stateNames + ["ema"] && averaging.name == base.name)
    #expect(averaging.settings.count == base.settings.count + 1 && averaging.learningRate == base.learningRate)
    let (weights, averages) = Self.trained(averaging, [0])
    #expect(weights == Self.trained(base, [0]).weights)
    for starts in [[0, 16], [0, 5, 40, 41], [0, 32, 32, 80]] {
      let parts = Self.trained(averaging, starts)
      #expect(parts.weights == weights && parts.averages == averages, "\(starts)")
    }
    // A frozen parameter is its own average; the others lag behind.
    for place in Self.layout.ranges[1] { #expect(averages[place] == weights[place]) }
    #expect(Self.layout.ranges[0].contains { averages[$0] != weights[$0] })
  }

  /// Of a weight that goes down by 1 a step the average is behind by d·(1 − dᵗ)/(1 − d).
  @Test func averagesLagBehind() {
    let one = OptimizersTests.layout(1)
    let optimizer = WeightAveraging(SGD(learningRate: 1), decay: 0.5).makeOptimizer(for: one)
    let theta = Buffer<Float>(count: one.count)
    optimizer.begin(with: theta)
    let gradient = Buffer<Float>(count: one.count)
    gradient[0] = 1
    for step in 1...10 {
      optimizer.update(theta, gradient: gradient, samples: 1, step: step)
      let behind = 1 - Float(sign: .plus, exponent: -step, significand: 1)
      #expect(theta[0] == -Float(step) && optimizer.state.moments[0].values[0] == -Float(step) + behind)
    }
  }
}
