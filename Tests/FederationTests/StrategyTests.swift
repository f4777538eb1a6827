import Lockstep
import Testing

/// Each strategy against its paper's formulas, worked out plainly in Double: a linear model of two inputs, mean squared errors, all clients in
/// every round, and steps over all of a client's samples.
@Suite struct StrategyTests {
  /// The samples of one client: inputs x₁, x₂ and a target.
  private typealias Samples = [(Double, Double, Double)]

  private static let clients: [Samples] = [
    [(1, 0.5, 2), (0, -1, 0.25), (0.5, 0.5, 1)], [(-1, 2, -3)],
    [(2, 1, 1), (1, 1, 0.5), (-0.5, 0, 4), (0, 0.25, -1), (1, -1, 0)],
  ]
  private static let (rounds, steps) = (4, 3)
  private static let rate = 0.125

  private static func recipe(_ strategy: FederatedStrategy) throws -> SmallFederation {
    var run = try SmallFederation()
    run.recipe = FederatedRecipe(
      model: Model("linear", input: [2]) { Dense(1) }, loss: MeanSquaredError(outputs: 1))
    run.recipe.strategy = strategy
    (run.recipe.clients, run.recipe.clientFraction, run.recipe.partition) = (clients.count, 1, .given)
    (run.recipe.rounds, run.recipe.localEpochs, run.recipe.localBatch) = (rounds, steps, nil)
    run.recipe.optimizer = SGD(learningRate: Float(rate))
    run.training = try JoinedDataset(
      clients.map { samples in
        try InMemoryDataset(
          inputs: Buffer(samples.flatMap { [Float($0.0), Float($0.1)] }), shape: [2],
          values: Buffer(samples.map { Float($0.2) }))
      })
    run.test = run.training
    return run
  }

  /// The gradient of the mean squared error over a client's samples, by w₁, w₂ and the bias.
  private static func gradient(_ samples: Samples, _ w: [Double]) -> [Double] {
    var sum = [0.0, 0, 0]
    for (a, b, target) in samples {
      let error = 2 * (w[0] * a + w[1] * b + w[2] - target) / Double(samples.count)
      sum = [sum[0] + error * a, sum[1] + error * b, sum[2] + error]
    }
    return sum
  }

  private static func combine(_ a: [Double], _ b: [Double], _ operation: (Double, Double) -> Double) -> [Double] {
    zip(a, b).map(operation)
  }

  /// The weights after all rounds, as the papers have them.
  private static func expected(_ strategy: FederatedStrategy, from start: [Double], serverRate: Double) -> [Double] {
    var x = start
    var (m, v, c) = ([0.0, 0, 0], [0.0, 0, 0], [0.0, 0, 0])
    if case .fedAdam(_, _, let tau) = strategy { v = v.map { _ in Double(tau) * Double(tau) } }
    var own = clients.map { _ in [0.0, 0, 0] }
    for _ in 0..<rounds {
      var (mean, moved) = ([0.0, 0, 0], [0.0, 0, 0])
      let all = Double(clients.reduce(0) { $0 + $1.count })
      for (index, samples) in clients.enumerated() {
        var y = x
        for _ in 0..<steps {
          var g = gradient(samples, y)
          if case .fedProx(let mu) = strategy { g = combine(g, combine(y, x, -)) { $0 + Double(mu) * $1 } }
          if strategy == .scaffold { g = combine(g, combine(c, own[index], -), +) }
          y = combine(y, g) { $0 - rate * $1 }
        }
        let difference = combine(x, y, -)
        mean = combine(mean, difference) { $0 + $1 * Double(samples.count) / all }
        if strategy == .scaffold {
          let new = combine(combine(own[index], c, -), difference) { $0 + $1 / (Double(steps) * rate) }
          moved = combine(moved, combine(new, own[index], -), +)
          own[index] = new
        }
      }
      if case .fedAdam(let beta1, let beta2, let tau) = strategy {
        m = combine(m, mean) { Double(beta1) * $0 + (1 - Double(beta1)) * $1 }
        v = combine(v, mean) { Double(beta2) * $0 + (1 - Double(beta2)) * $1 * $1 }
        x = combine(x, combine(m, v) { $0 / ($1.squareRoot() + Double(tau)) }) { $0 - serverRate * $1 }
      } else {
        x = combine(x, mean) { $0 - serverRate * $1 }
      }
      c = combine(c, moved) { $0 + $1 / Double(clients.count) }
    }
    return x
  }

  @Test(
    arguments: [.fedAvg, .fedProx(mu: 0.5), .fedAdam(), .fedAdam(beta1: 0.5, beta2: 0.8, tau: 0.1), .scaffold]
      as [FederatedStrategy])
  func doesWhatItsPaperSays(_ strategy: FederatedStrategy) throws {
    for serverRate in [nil, 0.5 as Float?] {
      var run = try Self.recipe(strategy)
      run.recipe.serverRate = serverRate
      let layout = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).layout
      let first = Buffer<Float>(count: layout.count)
      try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).initialise(first, seed: run.recipe.seed)
      func values(_ block: [Float]) -> [Double] { layout.ranges.flatMap { block[$0] }.map(Double.init) }
      let expected = Self.expected(
        strategy, from: values(first.array), serverRate: Double(serverRate ?? strategy.usualServerRate))
      let found = values(try run.run(ranks: 2).weights)
      let distance = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(distance < 2e-6, "\(strategy): \(found) \(expected)")
      #expect(zip(found, values(first.array)).contains { abs($0 - $1) > 0.1 })
    }
  }

  /// The clients' step gets smaller from round to round; momentum does not outlive a round.
  @Test func theStepDecays() throws {
    var run = try Self.recipe(.fedAvg)
    (run.recipe.rateDecay, run.recipe.rounds, run.recipe.localEpochs) = (0.5, 2, 1)
    run.recipe.optimizer.momentum = 0.9
    let first = try FederatedTrainer(run.recipe, training: run.training, test: run.test).parameters.array
    func move(_ w: [Float], _ rate: Double) -> [Double] {
      let w = [w[0], w[1], w[16]].map(Double.init)
      let all = Self.clients.flatMap { $0 }
      return Self.combine(w, Self.gradient(all, w)) { $0 - rate * $1 }
    }
    let one = move(first, Self.rate)
    var block = first
    (block[0], block[1], block[16]) = (Float(one[0]), Float(one[1]), Float(one[2]))
    let two = move(block, Self.rate / 2)
    let found = try run.run().weights
    #expect(zip([found[0], found[1], found[16]], two).allSatisfy { abs(Double($0) - $1) < 1e-6 }, "\(found) \(two)")
  }
}
