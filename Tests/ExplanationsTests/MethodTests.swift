import Kernels
import Lockstep
import Testing

/// Each method against what it is by its formula.
@Suite struct MethodTests {
  private static let three = SoftmaxCrossEntropy(classes: 3)

  @Test(
    arguments: [ExplainedNetwork.Score.logit, .probability],
    [Nets.smooth.name, Nets.transformer.name, Nets.recurrent.name])
  func saliencyIsACentralDifference(_ score: ExplainedNetwork.Score, _ name: String) throws {
    let model = try #require([Nets.smooth, Nets.transformer, Nets.recurrent].first { $0.name == name })
    let network = try Nets.explained(model, loss: Self.three, score: score, Nets.moveAverages)
    let input = Nets.numbers(model.input.count, seed: 5)
    for target in 0..<3 {
      let found = Saliency().attribution(of: input, target: target, in: network)
      let largest = try #require(found.values.array.max())
      #expect(found.shape == model.input && !found.isSigned && largest > 1e-3)
      // A score's rounding is some 10⁻⁷ over a step of 1/32.
      let step: Float = 1 / 32
      for index in Swift.stride(from: 0, to: input.count, by: 5) {
        let value = input[index]
        let ends = [value + step, value - step].map { changed in
          input[index] = changed
          return network.score(of: target, for: input)
        }
        input[index] = value
        let slope = abs(ends[0] - ends[1]) / Double(2 * step)
        #expect(abs(slope - Double(found.values[index])) < 1e-5 + 0.01 * Double(largest), "\(name), \(index)")
      }
    }
  }

  /// Of one output, the rest's score is the positive class' with its sign turned, and their probabilities are 1 together.
  @Test func aBinaryNetworkHasTwoScores() throws {
    let model = Model("binary", input: [4]) { Dense(1) }
    let input = Nets.numbers(4, seed: 2)
    for score in ExplainedNetwork.Score.allCases {
      let network = try Nets.explained(model, loss: SigmoidCrossEntropy(positive: 1), score: score)
      let (rest, positive) = (network.score(of: 0, for: input), network.score(of: 1, for: input))
      #expect(abs(score == .logit ? rest + positive : rest + positive - 1) < 1e-6 && rest != positive)
      let slopes = [0, 1].map {
        IntegratedGradients(steps: 1).attribution(of: input, target: $0, in: network).values.array
      }
      #expect(zip(slopes[0], slopes[1]).allSatisfy { $0 == -$1 && $0 != 0 })
    }
  }

  /// Of a linear model every method that takes pixels away gives w · (x − baseline), and slopes are w.
  @Test func aLinearModelIsExplainedExactly() throws {
    let input = Nets.numbers(30, seed: 3)
    for (target, baseline) in [(0, 0), (1, 0.5), (2, -2)] as [(Int, Float)] {
      let (network, weights) = try Nets.linear(target: target)
      let expected = zip(weights, input.array).map { $0 * ($1 - baseline) }
      let methods: [any AttributionMethod] = [
        Occlusion(window: 1, stride: 1, baseline: baseline), ShapleySampling(samples: 2, window: 1, baseline: baseline),
        IntegratedGradients(steps: 3, baseline: baseline),
        IntegratedGradients(steps: 7, rule: .middle, baseline: baseline),
      ]
      for method in methods {
        let found = try method.attribution(of: input, target: target, in: network)
        #expect(zip(found.values.array, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(method)")
        #expect(found.completeness.map { $0.gap < 1e-5 } ?? true)
      }
      #expect(Saliency().attribution(of: input, target: target, in: network).values.array == weights.map(abs))
      let smooth = SmoothGrad(samples: 3).attribution(of: input, target: target, in: network).values.array
      #expect(zip(smooth, weights).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  /// Windows that overlap: a pixel has the mean of those that cover it.
  @Test func occlusionIsTheMeanOfItsWindows() throws {
    let (network, weights) = try Nets.linear(target: 1)
    let input = Nets.numbers(30, seed: 4)
    let parts = zip(weights, input.array).map { Double($0 * $1) }
    let found = Occlusion(window: 3, stride: 2).attribution(of: input, target: 1, in: network)
    // On 6 rows windows begin at 0, 2 and 4, the last of two rows; on 5 columns at 0 and 2.
    for row in 0..<6 {
      for column in 0..<5 {
        var falls: [Double] = []
        for top in [0, 2, 4] where (top..<top + 3).contains(row) {
          for left in [0, 2] where (left..<left + 3).contains(column) {
            var fall = 0.0
            for y in top..<min(top + 3, 6) { for x in left..<left + 3 { fall += parts[y * 5 + x] } }
            falls.append(fall)
          }
        }
        let mean = falls.reduce(0, +) / Double(falls.count)
        #expect(abs(Double(found.values[row * 5 + column]) - mean) < 1e-5)
      }
    }
  }

  /// Captum's own test of Grad-CAM, checked by hand: an input of 0 to 15, a convolution of ones to two channels, and one dense row.
  @Test func gradCAMIsTheReferencesVector() throws {
    let model = Model("captum", input: [4, 4, 1]) {
      Conv2D(filters: 2, kernel: 3)
      ReLU()
      Flatten()
      Dense(1)
    }
    let network = try Nets.explained(model, loss: SigmoidCrossEntropy(positive: 1)) { network, parameters in
      let ranges = network.layout.ranges
      parameters[ranges[0]].fill(1)
      parameters[ranges[1]].copy(from: Buffer([-50, -75]))
      // The row has the first channel's four positions first, where we have the channels of a position side by side.
      for (place, value) in ([1, 1, 1, 1, 1, -1, -1, -1] as [Float]).enumerated() {
        parameters[ranges[2].lowerBound + place % 4 * 2 + place / 4] = value
      }
      parameters[ranges[3]].fill(0)
    }
    let input = Buffer((0..<16).map { Float($0) })
    #expect(network.outputs(for: input).array == [54])
    let map = try GradCAM(rectifying: false).layerMap(of: input, target: 1, in: network)
    #expect(map.values.array == [11.25, 13.5, 20.25, 22.5] && map.shape == [2, 2, 1] && map.isSigned)
    #expect(
      try GradCAM(layer: "convolution1").layerMap(of: input, target: 1, in: network).values.array == map.values.array)
    // For the rest it speaks against all of it, of which the rectifier leaves nothing.
    #expect(
      try GradCAM(rectifying: false).layerMap(of: input, target: 0, in: network).values.array
        == map.values.array.map { -$0 })
    #expect(try GradCAM().attribution(of: input, target: 0, in: network).values.array.allSatisfy { $0 == 0 })
    // Enlarged as PyTorch's interpolate does: the corners stay, and the middle is a mixture.
    let large = try GradCAM().attribution(of: input, target: 1, in: network)
    #expect(
      large.shape == [4, 4, 1] && large.values[0] == 11.25 && large.values[3] == 13.5 && large.values[15] == 22.5)
    #expect(large.values[1] == 11.25 + 0.25 * 2.25 && large.values[4] == 11.25 + 0.25 * 9)
  }

  @Test func gradCAMSaysWhichLayersThereAre() throws {
    let input = Nets.numbers(128, seed: 1)
    let network = try Nets.explained(Nets.smooth, loss: Self.three)
    // The last is gone around: the sum behind it.
    let usual = try GradCAM().layerMap(of: input, target: 0, in: network).values.array
    #expect(try GradCAM(layer: "residual1").layerMap(of: input, target: 0, in: network).values.array == usual)
    #expect(try GradCAM(layer: "convolution1").layerMap(of: input, target: 0, in: network).values.array != usual)
    #expect(
      throws: ModelError(
        "grad-cam: there is no layer \"convolution3\"; there are: convolution1, batchnorm1, sigmoid1, dropout1, residual1"
      )
    ) { try GradCAM(layer: "convolution3").check(network) }
    #expect(throws: ModelError("grad-cam: the output of \"dense1\" is of shape [3], and no [rows, columns, channels]"))
    {
      try GradCAM(layer: "dense1").check(network)
    }
    let (linear, _) = try Nets.linear(target: 0)
    #expect(throws: ModelError("grad-cam needs a convolution, and model linear has none; choose another method")) {
      try GradCAM().check(linear)
    }
    #expect(throws: ModelError("rollout needs attention, and there is none in model linear; choose another method")) {
      try AttentionRollout().check(linear)
    }
    let regression = try Network(
      Model("numbers", input: [3]) { Dense(2) }, loss: MeanSquaredError(outputs: 2), capacity: 1)
    #expect(throws: ModelError("model numbers tells no classes apart, and there is nothing to explain")) {
      try ExplainedNetwork(regression, parameters: Buffer(count: regression.layout.count))
    }
  }

  /// Where all tokens attend to all alike, a layer is half itself and half the mean.
  @Test func rolloutOfEvenAttention() throws {
    let network = try Nets.explained(Nets.transformer, loss: Self.three) { network, parameters in
      for (place, parameter) in network.layout.parameters.enumerated() where parameter.name.contains("attention") {
        parameters[network.layout.ranges[place]].fill(0)
      }
    }
    let found = try AttentionRollout().attribution(of: Nets.numbers(64, seed: 1), target: 0, in: network)
    // Five tokens: Aₗ = I/2 + 1/10, and its square is I/4 + 3/20.
    #expect(found.shape == [8, 8, 1] && found.values.array.allSatisfy { abs($0 - 0.15) < 1e-6 })
  }

  /// The weights by which the layer itself works: v mixed by them and projected is its output.
  @Test(arguments: [false, true]) func attentionWeightsAreTheLayers(_ isCausal: Bool) throws {
    let (tokens, width, heads) = (5, 8, 2)
    let attention = MultiHeadAttention(heads: heads, causal: isCausal)
    let network = try Sequential([attention], input: [tokens, width], capacity: 1)
    let layout = ParameterLayout(network.parameters)
    let parameters = ParameterBlock(Nets.numbers(layout.count, seed: 1), layout)
    let input = Nets.numbers(tokens * width, seed: 2)
    let output = Buffer<Float>(count: input.count)
    network.forward(input, parameters, into: output, Pass(samples: 1))
    let weights = try attention.weights(of: input, shape: [tokens, width], parameters)
    for token in 0..<tokens {
      var mixed = [Double](repeating: 0, count: width)
      for column in 0..<width {
        for other in 0..<tokens {
          let row = 2 * width + column
          let v = (0..<width).reduce(Double(parameters[1][row])) {
            $0 + Double(parameters[0][row * width + $1] * input[other * width + $1])
          }
          mixed[column] += Double(weights[(column / (width / heads) * tokens + token) * tokens + other]) * v
        }
      }
      for column in 0..<width {
        let expected = (0..<width).reduce(Double(parameters[3][column])) {
          $0 + Double(parameters[2][column * width + $1]) * mixed[$1]
        }
        #expect(abs(expected - Double(output[token * width + column])) < 1e-5)
      }
    }
    #expect(throws: ModelError.self) { try MultiHeadAttention(heads: 3).weights(of: input, shape: [5, 8], parameters) }
  }

  /// A network that sums its pixels, of which the first decide: the areas are those of its own sigmoid.
  @Test func deletionAndInsertionAreAreas() throws {
    let model = Model("sum", input: [2, 2, 1]) {
      Flatten()
      Dense(1)
    }
    let network = try Nets.explained(model, loss: SigmoidCrossEntropy(positive: 1)) { network, parameters in
      parameters.fill(0)
      for (place, weight) in ([4, -1, 2, 0] as [Float]).enumerated() { parameters[place] = weight }
    }
    let input = Buffer<Float>([1, 1, 1, 1])
    let map = IntegratedGradients(steps: 1).attribution(of: input, target: 1, in: network)
    let scores = Faithfulness(map, of: input, target: 1, in: network, steps: 4)
    func probability(_ z: Double) -> Double { Double(sigmoid(Float(z))) }
    func area(_ z: [Double]) -> Double {
      zip(z, z.dropFirst()).reduce(0) { $0 + (probability($1.0) + probability($1.1)) / 2 } / Double(z.count - 1)
    }
    // In the order 4, 2, 0, −1.
    #expect(abs(scores.deletion - area([5, 1, -1, -1, 0])) < 1e-7)
    #expect(abs(scores.insertion - area([0, 4, 6, 6, 5])) < 1e-7)
    #expect(scores.insertion > scores.deletion)
    // Turned round, it names the wrong pixels first.
    let wrong = Attribution(values: Buffer(map.values.array.map { -$0 }), shape: map.shape, isSigned: true)
    let other = Faithfulness(wrong, of: input, target: 1, in: network, steps: 100)
    #expect(other.deletion > scores.deletion && other.insertion < scores.insertion)
  }
}
