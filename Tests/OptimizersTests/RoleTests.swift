import NeuralNetworks
import Optimizers
import Tensors
import Testing

/// Weights decay, biases do not, and what is frozen or an average stays, wherever a rank's slice begins.
@Suite struct RoleTests {
  /// Weights of 40 and 20 elements, each with a bias, and frozen parameters between and behind.
  private static let mixed = ParameterLayout(
    ([
      (40, .weight), (5, .bias), (17, .frozen), (20, .weight), (16, .bias), (3, .frozen), (7, .average), (19, .average),
    ] as [(Int, ParameterRole)]).map {
      ParameterSpecification(name: "p", shape: [$0], initialiser: .zeros, role: $1)
    })

  private func places(of role: ParameterRole) -> [Int] {
    zip(Self.mixed.parameters, Self.mixed.ranges).filter { $0.0.role == role }.flatMap { Array($0.1) }
  }

  /// A block of the layout whose parameters are `value` of their place, and whose gaps are zero.
  private func block(_ value: (Int) -> Float) -> Buffer<Float> {
    let block = Buffer<Float>(count: Self.mixed.count)
    for place in Self.mixed.ranges.joined() { block[place] = value(place) }
    return block
  }

  @Test(arguments: optimizers.indices)
  func frozenParametersAndAveragesStay(_ index: Int) {
    let theta = block { Float($0 % 7) - 3.5 }
    let before = theta.array
    let optimizer = optimizers[index].makeOptimizer(for: Self.mixed)
    for step in 1...3 { optimizer.update(theta, gradient: block { 1 + Float($0 % 3) }, samples: 2, step: step) }
    let kept = places(of: .frozen) + places(of: .average)
    for place in kept { #expect(theta[place] == before[place]) }
    for place in places(of: .weight) + places(of: .bias) { #expect(theta[place] != before[place]) }
    for (_, values) in optimizer.state.moments { #expect(kept.allSatisfy { values[$0] == 0 }) }
  }

  /// Without a gradient, decay is all that moves.
  @Test(arguments: optimizers.indices)
  func weightsAloneDecay(_ index: Int) {
    let theta = block { _ in 2 }
    let optimizer = optimizers[index].makeOptimizer(for: Self.mixed)
    optimizer.update(theta, gradient: block { _ in 0 }, samples: 1, step: 1)
    let decays = optimizers[index].settings.contains { $0.key == "weight_decay" }
    #expect(places(of: .weight).allSatisfy { (theta[$0] < 2) == decays })
    #expect(places(of: .bias).allSatisfy { theta[$0] == 2 })
    let gaps = Set(0..<Self.mixed.count).subtracting(Self.mixed.ranges.joined())
    #expect(!gaps.isEmpty && gaps.allSatisfy { theta[$0] == 0 })
  }

  /// Each rank has the state of its slice alone.
  @Test(arguments: optimizers.indices, [[0], [0, 16], [0, 32, 48, 112], [0, 0, 64, 64, 128]])
  func slicesMakeTheBitsOfTheWhole(_ index: Int, _ starts: [Int]) {
    let count = Self.mixed.count
    let gradients = (1...4).map { step in block { Float(($0 * 31 + step * 17) % 23) - 11 } }
    func trained(_ slices: [Range<Int>]) -> [UInt32] {
      let theta = block { Float($0 % 11) / 8 - 0.5 }
      let parts = slices.map { slice in
        let specification = optimizers[index]
        let state = OptimizerState(specification.stateNames, of: slice)
        return (slice, specification.makeOptimizer(state: state, layout: Self.mixed, schedule: .constant))
      }
      for (step, gradient) in gradients.enumerated() {
        for (slice, optimizer) in parts {
          optimizer.update(theta, gradient: gradient, in: slice, scale: 1 / 3, step: step + 1)
        }
      }
      return theta.array.map(\.bitPattern)
    }
    let slices = zip(starts, starts.dropFirst() + [count]).map { $0..<$1 }
    #expect(trained(slices) == trained([0..<count]))
  }

  /// `average ← 0.9 · average + 0.1 · sum / samples`, and nothing else moves; to the bit the same in slices.
  @Test(arguments: [[0], [0, 16], [0, 150, 177, 183], [0, 0, 176, 176, 200]])
  func averagesMoveToTheBatchsMean(_ starts: [Int]) {
    let averages = RunningAverages(of: Self.mixed)
    #expect(!averages.isEmpty && RunningAverages(of: layout(5)).isEmpty)
    let (theta, sums) = (block { Float($0 % 7) - 3.5 }, block { Float($0 % 23) * 3 })
    let (before, whole) = (theta.array, Buffer(theta.array))
    averages.move(whole, by: sums, in: 0..<whole.count, samples: 3)
    for (start, end) in zip(starts, starts.dropFirst() + [theta.count]) {
      averages.move(theta, by: sums, in: start..<end, samples: 3)
    }
    #expect(theta.array.map(\.bitPattern) == whole.array.map(\.bitPattern))
    let moved = Set(places(of: .average))
    for place in 0..<theta.count {
      let expected = moved.contains(place) ? 0.9 * before[place] + 0.1 * Float(place % 23) : before[place]
      #expect(abs(theta[place] - expected) < 1e-6)
    }
  }

  @Test func aFrozenGradientIsNotInTheNorm() {
    let stepped = Self.mixed.ranges(of: [.weight, .bias])
    let others = Set(places(of: .frozen) + places(of: .average))
    let gradient = block { others.contains($0) ? 1000 : 1 }
    // 81 elements of 1: a norm of 9.
    #expect(abs(meanScale(gradient, in: stepped, samples: 1, clipNorm: 3) - 1 / 3) < 1e-6)
    #expect(meanScale(gradient, samples: 1, clipNorm: 3) < 0.001)
  }

  /// A recipe says what differs from the usual, and no more: checkpoints of Adam from before there were others stay of the same recipe.
  @Test func settingsAreThoseThatAreUnusual() {
    func text(_ optimizer: any OptimizerSpecification) -> String {
      ([optimizer.name] + optimizer.settings.map { "\($0.key) \($0.value)" }).joined(separator: ", ")
    }
    #expect(text(Adam(learningRate: 0.5)) == "adam")
    #expect(text(Adam(beta1: 0.5, beta2: 0.75, epsilon: 0.25)) == "adam, beta1 0.5, beta2 0.75, epsilon 0.25")
    #expect(text(AdamW()) == "adamw")
    #expect(text(AdamW(beta2: 0.5, weightDecay: 0)) == "adamw, beta2 0.5, weight_decay 0.0")
    #expect(text(SGD(learningRate: 3)) == "sgd")
    #expect(
      text(SGD(momentum: 0.5, weightDecay: 0.25, isNesterov: true))
        == "sgd, momentum 0.5, weight_decay 0.25, nesterov true")
  }
}
