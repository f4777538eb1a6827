import Kernels
import Lockstep
import Testing

/// Maps of networks that have learnt real digits.
@Suite struct TrainedTests {
  /// A model's weights of some seconds, and test images.
  private struct Trained: Sendable {
    let model: Model
    let parameters: Buffer<Float>
    let test: any Dataset

    init(_ model: Model, samples: Int, epochs: Int) throws {
      useOneBLASThread()
      let data = try ["train", "test"].map { part in
        try ImageDataset.load(directory: ImageDataset.directory(named: "mnist"), part: part == "train" ? .train : .test)
      }
      let training = try TrainingParts(of: data[0], subset: samples, validation: nil, seed: 1).training
      var recipe = Recipe(model: model, loss: SoftmaxCrossEntropy(classes: 10))
      recipe.epochs = epochs
      let trainer = try Trainer(recipe, training: training, test: data[1])
      _ = try trainer.run()
      self.model = model
      parameters = trainer.parameters
      test = data[1]
    }

    func input(_ index: Int) -> Buffer<Float> {
      let input = Buffer<Float>(count: 784)
      test.copyInputs(in: index..<index + 1, into: input)
      return input
    }

    /// The network with its weights or, by a seed, with some that have learnt nothing.
    func network(score: ExplainedNetwork.Score = .logit, randomisedBy seed: UInt64? = nil) throws -> ExplainedNetwork {
      let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
      guard let seed else { return try ExplainedNetwork(network, parameters: parameters, score: score) }
      let random = Buffer<Float>(count: parameters.count)
      network.initialise(random, seed: seed)
      return try ExplainedNetwork(network, parameters: random, score: score)
    }
  }

  private static let convnet = Result { () throws -> Trained in
    try Trained(.named("article", input: [28, 28, 1], outputs: 10), samples: 12_000, epochs: 2)
  }

  private static let transformer = Result { () throws -> Trained in
    let model = Model("small vit", input: [28, 28, 1]) {
      Patches(7)
      TokenDense(32)
      ClassToken()
      Positions()
      for _ in 0..<2 {
        Residual {
          LayerNorm()
          MultiHeadAttention(heads: 4)
        }
        Residual {
          LayerNorm()
          TokenDense(64)
          GELU()
          TokenDense(32)
        }
      }
      Token(0)
      LayerNorm()
      Dense(10)
    }
    return try Trained(model, samples: 6000, epochs: 3)
  }

  /// The gap at 200 steps, as a part of the output's range along the way.
  @Test func attributionsAddUp() throws {
    for trained in [try Self.convnet.get(), try Self.transformer.get()] {
      for score in ExplainedNetwork.Score.allCases {
        let network = try trained.network(score: score)
        for index in 0..<5 {
          let input = trained.input(index)
          let target = network.loss.predictedClass(network.outputs(for: input))
          for rule in [IntegrationRule.gausslegendre, .middle] {
            let found = IntegratedGradients(steps: 200, rule: rule).attribution(of: input, target: target, in: network)
            let completeness = try #require(found.completeness)
            #expect(
              completeness.relativeGap < 1e-3,
              "\(trained.model.name), \(score), \(index), \(rule): \(completeness)")
            #expect(abs(found.values.array.reduce(0.0) { $0 + Double($1) } - completeness.sum) < 1e-4)
          }
          let shapley = ShapleySampling(samples: 2).attribution(of: input, target: target, in: network)
          #expect(try #require(shapley.completeness).relativeGap < 1e-9)
        }
      }
      // Few steps leave a gap, which is told.
      let network = try trained.network()
      let rough = IntegratedGradients(steps: 1, rule: .left).attribution(of: trained.input(0), target: 7, in: network)
      #expect(try #require(rough.completeness).relativeGap > 1e-2)
    }
  }

  /// A map that stayed as it is when the weights are randomised would not be of the network (Adebayo et al. 2018).
  @Test func randomWeightsChangeEveryMap() throws {
    for trained in [try Self.convnet.get(), try Self.transformer.get()] {
      let network = try trained.network()
      let all: [any AttributionMethod] = [
        Saliency(), SmoothGrad(samples: 10), IntegratedGradients(steps: 20), GradCAM(rectifying: false), Occlusion(),
        ShapleySampling(samples: 5), AttentionRollout(),
      ]
      let methods = all.filter { (try? $0.check(network)) != nil }
      #expect(methods.count == 6)
      for method in methods {
        var correlations: [Double] = []
        for index in 0..<5 {
          let input = trained.input(index)
          let target = network.loss.predictedClass(network.outputs(for: input))
          let own = try method.attribution(of: input, target: target, in: network).values.array
          let again = try method.attribution(of: input, target: target, in: network).values.array
          #expect(own == again)
          let random = try method.attribution(
            of: input, target: target, in: trained.network(randomisedBy: 100 + UInt64(index))
          ).values.array
          correlations.append(Self.rankCorrelation(own, random))
        }
        let mean = correlations.reduce(0, +) / Double(correlations.count)
        #expect(abs(mean) < 0.75, "\(method.name): \(correlations)")
      }
    }
  }

  /// Spearman's, of the pixels where at least one map says something.
  private static func rankCorrelation(_ first: [Float], _ second: [Float]) -> Double {
    let places = first.indices.filter { first[$0] != 0 || second[$0] != 0 }
    func ranks(_ values: [Float]) -> [Double] {
      let order = places.indices.sorted { values[places[$0]] < values[places[$1]] }
      var ranks = [Double](repeating: 0, count: order.count)
      var start = 0
      while start < order.count {
        var end = start
        while end < order.count, values[places[order[end]]] == values[places[order[start]]] { end += 1 }
        for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 }
        start = end
      }
      let mean = ranks.reduce(0, +) / Double(ranks.count)
      return ranks.map { $0 - mean }
    }
    let (a, b) = (ranks(first), ranks(second))
    func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    return product(a, b) / max((product(a, a) * product(b, b)).squareRoot(), 1e-12)
  }

  /// Pixels that a map names first are those that the network needs: taking them first takes the class away sooner than in an even order.
  @Test func goodMapsNameThePixelsThatDecide() throws {
    let trained = try Self.convnet.get()
    let network = try trained.network()
    let methods: [any AttributionMethod] = [
      SmoothGrad(samples: 20), IntegratedGradients(steps: 50), Occlusion(), ShapleySampling(samples: 5),
    ]
    for method in methods {
      var (good, even) = (0.0, 0.0)
      for index in 0..<10 {
        let input = trained.input(index)
        let target = network.loss.predictedClass(network.outputs(for: input))
        let map = try method.attribution(of: input, target: target, in: network)
        let scores = Faithfulness(map, of: input, target: target, in: network)
        var words = Philox(seed: 1, purpose: Philox.Purpose(rawValue: 99), stream: UInt64(index))
        let noise = Attribution(
          values: Buffer((0..<784).map { _ in words.nextUniform() }), shape: [28, 28, 1], isSigned: false)
        let other = Faithfulness(noise, of: input, target: target, in: network)
        good += scores.insertion - scores.deletion
        even += other.insertion - other.deletion
      }
      #expect(good > even + 2, "\(method.name): \(good / 10) against \(even / 10)")
    }
  }
}
