import NeuralNetworks
import Tensors
import Testing

/// Every layer under the one oracle.
@Suite struct LayerGradientTests {
  /// Both of Dense's ways: few units on whole lanes (8 or 16 of them), and sgemm for the rest.
  @Test(arguments: [(16, 1), (16, 5), (32, 10), (48, 7), (5, 3), (19, 10), (16, 33), (7, 40)])
  func dense(inputs: Int, units: Int) throws {
    for samples in [1, 3, 6] {
      try GradientOracle(Dense(units), input: [inputs], samples: samples, seed: 1).check()
    }
  }

  @Test func denseTakesAnyShape() throws {
    try GradientOracle(Dense(4), input: [2, 3, 2], samples: 3, seed: 2).check()
  }

  /// A block of weights is 86 lanes long: two blocks and a rest.
  @Test func denseOfManyInputs() throws {
    try GradientOracle(Dense(6), input: [86 * 16 + 48], samples: 2, seed: 3).check(ofInput: true)
  }

  @Test(arguments: [
    (Conv2D(filters: 2, kernel: 3), [5, 4, 1]), (Conv2D(filters: 3, kernel: 3), [4, 6, 2]),
    (Conv2D(filters: 3, kernel: 2), [3, 4, 3]), (Conv2D(filters: 4, kernel: 1), [3, 2, 3]),
    (Conv2D(filters: 3, kernel: 3), [3, 3, 2]),
    (Conv2D(filters: 2, kernel: 3, padding: .same), [4, 5, 1]),
    (Conv2D(filters: 3, kernel: 3, padding: .same), [5, 3, 2]),
    (Conv2D(filters: 2, kernel: 5, padding: .same), [4, 6, 2]),
    (Conv2D(filters: 2, kernel: 5, padding: .same), [1, 2, 3]),
    (Conv2D(filters: 3, kernel: 4, padding: .same, stride: 2), [6, 4, 2]),
    (Conv2D(filters: 2, kernel: 8, padding: .same, stride: 2), [8, 8, 1]),
  ])
  func convolution(_ layer: Conv2D, input: [Int]) throws {
    for samples in [1, 3] { try GradientOracle(layer, input: Shape(input), samples: samples, seed: 4).check() }
  }

  @Test(arguments: [
    (Conv2D(filters: 3, kernel: 3, padding: .same, stride: 2, bias: false), [5, 4, 2]),
    (Conv2D(filters: 4, kernel: 1, padding: .same, stride: 2, bias: false), [4, 5, 3]),
    (Conv2D(filters: 2, kernel: 3, stride: 3), [8, 7, 2]), (Conv2D(filters: 3, kernel: 3, bias: false), [4, 5, 1]),
    (Conv2D(filters: 32, kernel: 3, padding: .same, bias: false), [3, 4, 32]),
  ])
  func stridesAndNoBias(_ layer: Conv2D, input: [Int]) throws {
    for samples in [1, 3] { try GradientOracle(layer, input: Shape(input), samples: samples, seed: 4).check() }
    try GradientOracle(layer, input: Shape(input), samples: 2, seed: 5, needsInputGradient: false)
      .check(ofInput: false)
  }

  /// Of any rank. Inputs are far apart, so that a step changes no channel's deviation by much.
  @Test(arguments: [[2, 3, 4], [5, 16], [7], [2, 2, 21]])
  func batchNorm(input: [Int]) throws {
    for samples in [5, 6] {
      let oracle = try GradientOracle(BatchNorm(), input: Shape(input), samples: samples, seed: 21)
      for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
      oracle.check()
    }
    try GradientOracle(BatchNorm(), input: Shape(input), samples: 5, seed: 22, needsInputGradient: false)
      .check(ofInput: false)
  }

  /// One value a channel is its own mean, and has no variance: an average moves towards 0, and nothing is divided by 0.
  @Test func batchNormOfOneValue() throws {
    let layer = try BatchNorm().makeLayer(input: [3], capacity: 1, needsInputGradient: true)
    let layout = ParameterLayout(layer.parameters)
    let parameters = noise(layout.count, seed: 23)
    let (input, output) = (noise(3, seed: 24), Buffer<Float>(count: 3))
    let pass = Pass(samples: 1, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    layer.forward(input, parameters, into: output, pass)
    #expect(output.array == parameters[layout.ranges[1]].array)
    let gradient = Buffer<Float>(count: layout.count)
    layer.backward(
      noise(3, seed: 25), input: input, output: output, parameters: parameters, into: Buffer(count: 3),
      gradient: gradient, .replace, pass)
    #expect(gradient[layout.ranges[2]].array == input.array)
    #expect(gradient[layout.ranges[3]].array == [0, 0, 0])
  }

  /// As the planner makes it, its ReLUs open at even channels and closed at odd ones, beyond any step of the oracle's.
  @Test func batchNormWithReLU() throws {
    let oracle = try GradientOracle(Block([BatchNorm(), ReLU()]), input: [2, 3, 5], samples: 4, seed: 23)
    for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
    let shift = oracle.parameters[oracle.layout.ranges[1]]
    for c in 0..<shift.count { shift[c] = c % 2 == 0 ? 12 : -12 }
    oracle.check()
  }

  @Test(arguments: [[4, 3, 2], [1, 1, 5], [3, 5, 16]])
  func globalAveragePool(input: [Int]) throws {
    try GradientOracle(GlobalAveragePool2D(), input: Shape(input), samples: 3, seed: 24).check()
  }

  /// As the planner makes it of a residual block and a ReLU, with both kinds of shortcut; open at even outputs alone.
  @Test func residualWithReLU() throws {
    for shortcut in [[], [Dense(6), Sigmoid()]] as [[any LayerSpecification]] {
      for needsInputGradient in [true, false] {
        let block = Block([Residual([Dense(6)], shortcut: shortcut), ReLU()])
        let oracle = try GradientOracle(
          block, input: [6], samples: 3, seed: 25, needsInputGradient: needsInputGradient)
        let bias = oracle.parameters[oracle.layout.ranges[1]]
        for unit in 0..<bias.count { bias[unit] = unit % 2 == 0 ? 12 : -12 }
        oracle.check(ofInput: needsInputGradient)
      }
    }
  }

  /// A block of the residual networks that convolve: with a stride, a projection, and normalisations.
  @Test func residualOfConvolutions() throws {
    func convolution(_ kernel: Int, _ stride: Int) -> [any LayerSpecification] {
      [Conv2D(filters: 3, kernel: kernel, padding: .same, stride: stride, bias: false), BatchNorm()]
    }
    let block = Residual(convolution(3, 2) + [Sigmoid()] + convolution(3, 1), shortcut: convolution(1, 2))
    let oracle = try GradientOracle(block, input: [6, 5, 2], samples: 4, seed: 26)
    for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
    oracle.check()
  }

  /// The direct kernel: whole pairs of vectors of output channels, and of input channels where their gradient is asked for.
  @Test(arguments: [Conv2D.Padding.valid, .same])
  func directConvolution(padding: Conv2D.Padding) throws {
    let layer = Conv2D(filters: 32, kernel: 3, padding: padding)
    try GradientOracle(layer, input: [4, 6, 32], samples: 2, seed: 4).check()
    try GradientOracle(layer, input: [4, 6, 1], samples: 2, seed: 4, needsInputGradient: false).check(ofInput: false)
  }

  /// As the planner makes it, its ReLUs open at even channels and closed at odd ones, beyond any step of the oracle's.
  @Test func convolutionWithReLU() throws {
    for (channels, needsInputGradient) in [(32, true), (3, false)] {
      let oracle = try GradientOracle(
        Block([Conv2D(filters: 32, kernel: 3, padding: .same), ReLU()]), input: [4, 5, channels], samples: 2, seed: 13,
        needsInputGradient: needsInputGradient)
      let weights = oracle.parameters[oracle.layout.ranges[0]]
      for at in 0..<weights.count { weights[at] *= 0.25 }
      let bias = oracle.parameters[oracle.layout.ranges[1]]
      for c in 0..<bias.count { bias[c] = c % 2 == 0 ? 12 : -12 }
      oracle.check(ofInput: needsInputGradient)
    }
  }

  @Test func reLU() throws {
    let oracle = try GradientOracle(ReLU(), input: [3, 7], samples: 3, seed: 5)
    // Away from the kink: no input within 1/8 of 0.
    for k in 0..<oracle.input.count { oracle.input[k] += oracle.input[k] < 0 ? -0.125 : 0.125 }
    oracle.check()
  }

  @Test func sigmoid() throws {
    let oracle = try GradientOracle(Sigmoid(), input: [3, 7], samples: 3, seed: 6)
    for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
    oracle.check()
  }

  @Test(arguments: [Tanh(), GELU(), SiLU()] as [any LayerSpecification])
  func smoothActivations(_ layer: any LayerSpecification) throws {
    let oracle = try GradientOracle(layer, input: [3, 7], samples: 3, seed: 6)
    for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
    oracle.check()
  }

  /// Sizes on whole vectors and off them, and a single step, which has no state before it.
  @Test(arguments: [(3, [5, 2]), (16, [3, 8]), (17, [2, 3]), (4, [1, 3])])
  func recurrent(units: Int, input: [Int]) throws {
    for layer in [RNN(units), LSTM(units), GRU(units)] as [any LayerSpecification] {
      for samples in [1, 3] {
        let oracle = try GradientOracle(layer, input: Shape(input), samples: samples, seed: 14)
        if input[0] == 1 { oracle.check(except: ["recurrent"]) } else { oracle.check() }
      }
      let first = try GradientOracle(layer, input: Shape(input), samples: 2, seed: 15, needsInputGradient: false)
      first.check(ofInput: false, except: input[0] == 1 ? ["recurrent"] : [])
    }
  }

  /// Of any rank. Inputs are far apart, so that a step changes no row's deviation by much.
  @Test(arguments: [[3, 5], [2, 16], [7], [2, 3, 9]])
  func layerNorm(input: [Int]) throws {
    for samples in [1, 3] {
      let oracle = try GradientOracle(LayerNorm(), input: Shape(input), samples: samples, seed: 16)
      for k in 0..<oracle.input.count { oracle.input[k] *= 4 }
      oracle.check()
    }
    try GradientOracle(LayerNorm(), input: Shape(input), samples: 2, seed: 17, needsInputGradient: false)
      .check(ofInput: false)
  }

  @Test(arguments: [(1, [3, 4]), (2, [5, 6]), (3, [2, 9]), (4, [17, 8]), (2, [1, 4])], [false, true])
  func attention(_ size: (Int, [Int]), causal: Bool) throws {
    let (heads, input) = size
    let layer = MultiHeadAttention(heads: heads, causal: causal)
    for (samples, needsInputGradient) in [(1, true), (3, true), (2, false)] {
      let oracle = try GradientOracle(
        layer, input: Shape(input), samples: samples, seed: 18, needsInputGradient: needsInputGradient)
      // Scores that a step of the oracle's does not turn around.
      for k in 0..<oracle.parameters.count { oracle.parameters[k] *= 0.5 }
      oracle.check(ofInput: needsInputGradient)
    }
  }

  /// More tokens than are gone through at once.
  @Test func attentionOfManyTokens() throws {
    let oracle = try GradientOracle(MultiHeadAttention(heads: 1, causal: true), input: [131, 2], samples: 2, seed: 18)
    for k in 0..<oracle.parameters.count { oracle.parameters[k] *= 0.5 }
    oracle.check()
  }

  /// A token that sees those before it gets what it gets without a mask as the last of as many, in whichever block of queries it is.
  @Test func causalAttentionIsThatOfWhatIsBefore() throws {
    let (tokens, width) = (131, 4)
    let inputs = noise(tokens * width, seed: 26)
    func outputs(_ attention: MultiHeadAttention, _ count: Int) throws -> Buffer<Float> {
      let layer = try attention.makeLayer(input: [count, width], capacity: 1, needsInputGradient: false)
      let output = Buffer<Float>(count: count * width)
      let parameters = noise(ParameterLayout(layer.parameters).count, seed: 27)
      layer.forward(inputs.prefix(count * width), parameters, into: output, Pass(samples: 1))
      return output
    }
    let causal = try outputs(MultiHeadAttention(heads: 2, causal: true), tokens)
    for count in [1, 2, 43, 44, 45, 88, 89, 131] {
      let whole = try outputs(MultiHeadAttention(heads: 2), count)
      for place in (count - 1) * width..<count * width {
        #expect(abs(whole[place] - causal[place]) < 1e-5, "token \(count)")
      }
    }
  }

  static let tokenLayers: [(layer: any LayerSpecification, input: [Int])] = [
    (TokenDense(3), [4, 5]), (TokenDense(20), [3, 16]), (TokenDense(1), [1, 1]), (Patches(2), [4, 6, 3]),
    (Patches(4), [8, 4, 1]), (Patches(1), [2, 3, 2]), (ClassToken(), [3, 5]), (ClassToken(), [1, 16]),
    (Positions(), [3, 5]), (Token(0), [3, 5]), (Token(2), [3, 5]), (Shift(start: 2), [5]), (Shift(start: 0), [3, 4]),
    (Tokens(from: 0), [3, 5]), (Tokens(from: 2), [3, 5]), (Tokens(from: 1), [4, 16]),
  ]

  @Test(arguments: tokenLayers.indices)
  func tokens(_ index: Int) throws {
    let (layer, input) = Self.tokenLayers[index]
    for samples in [1, 3] { try GradientOracle(layer, input: Shape(input), samples: samples, seed: 19).check() }
    let first = try GradientOracle(layer, input: Shape(input), samples: 2, seed: 20, needsInputGradient: false)
    first.check(ofInput: false)
  }

  /// There is no gradient by whether a pixel is hidden, nor by a pixel that is.
  @Test(arguments: [(2, [4, 6, 2]), (4, [4, 8, 2]), (1, [2, 3, 2]), (3, [3, 3, 2])])
  func maskedPatches(size: Int, input: [Int]) throws {
    for (samples, needsInputGradient) in [(1, true), (3, true), (2, false)] {
      let oracle = try GradientOracle(
        Block([Hiding(), MaskedPatches(size)]), input: Shape(input), samples: samples, seed: 19,
        needsInputGradient: needsInputGradient)
      // No step of the oracle's hides or shows a pixel, and some of every place in a patch are hidden.
      for k in stride(from: 1, to: oracle.input.count, by: 2) { oracle.input[k] += oracle.input[k] < 0 ? -1 : 1 }
      oracle.check(ofInput: needsInputGradient)
    }
  }

  /// There is no gradient by a whole number.
  @Test func embedding() throws {
    for (positions, width, samples) in [(5, 3, 1), (4, 16, 3)] {
      let oracle = try GradientOracle(
        Embedding(tokens: 3, width: width), input: [positions], samples: samples, seed: 21, needsInputGradient: false)
      for k in 0..<oracle.input.count { oracle.input[k] = Float(k * k % 5 % 3) }
      oracle.check(ofInput: false)
    }
  }

  /// Of sizes on whole vectors and off them; dilations within the sequence, as long as it and beyond it.
  @Test(arguments: [
    (3, [1], [4, 3]), (5, [1, 2], [5, 2]), (16, [2, 1, 3], [6, 8]), (3, [4, 9], [5, 3]), (2, [1], [1, 2]),
  ])
  func gatedStack(skip: Int, dilations: [Int], input: [Int]) throws {
    for (samples, needsInputGradient) in [(1, true), (3, true), (2, false)] {
      let oracle = try GradientOracle(
        GatedStack(skip: skip, dilations: dilations), input: Shape(input), samples: samples, seed: 22,
        needsInputGradient: needsInputGradient)
      oracle.check(ofInput: needsInputGradient)
    }
  }

  @Test func residual() throws {
    let body: [any LayerSpecification] = [
      Conv2D(filters: 2, kernel: 3, padding: .same), Sigmoid(), Conv2D(filters: 2, kernel: 3, padding: .same),
    ]
    try GradientOracle(Residual(body), input: [4, 3, 2], samples: 3, seed: 1).check()
    try GradientOracle(Residual(body), input: [4, 3, 2], samples: 3, seed: 1, needsInputGradient: false)
      .check(ofInput: false)
    // Layers that need their own output for their gradient, which is not the block's.
    try GradientOracle(Residual([Dense(6), Sigmoid()]), input: [6], samples: 3, seed: 6).check()
    try GradientOracle(Residual([Dense(6)], shortcut: [Dense(6), Sigmoid()]), input: [5], samples: 3, seed: 7).check()
    let widening = Residual(
      [Conv2D(filters: 3, kernel: 3, padding: .same), Sigmoid(), Conv2D(filters: 4, kernel: 1)],
      shortcut: [Conv2D(filters: 4, kernel: 1)])
    try GradientOracle(widening, input: [4, 3, 2], samples: 3, seed: 2).check()
    try GradientOracle(widening, input: [4, 3, 2], samples: 3, seed: 2, needsInputGradient: false)
      .check(ofInput: false)
  }

  /// Odd sizes too, whose last row and column belong to no window.
  @Test(arguments: [
    ([4, 6, 1], 2, 2), ([5, 7, 3], 2, 2), ([7, 8, 2], 3, 3), ([3, 3, 2], 3, 3), ([2, 3, 4], 1, 1), ([5, 4, 3], 2, 1),
    ([6, 7, 17], 3, 2), ([7, 6, 2], 2, 3),
  ]) func maxPool(input: [Int], size: Int, stride: Int) throws {
    let oracle = try GradientOracle(MaxPool2D(size, stride: stride), input: Shape(input), samples: 2, seed: 7)
    // Away from ties: distinct multiples of 1/4, shuffled.
    let order = (0..<oracle.input.count).sorted { oracle.input[$0] < oracle.input[$1] }
    for (rank, k) in order.enumerated() { oracle.input[k] = Float(rank) / 4 }
    oracle.check()
  }

  @Test func flatten() throws { try GradientOracle(Flatten(), input: [2, 3, 4], samples: 3, seed: 8).check() }

  @Test func reshape() throws {
    try GradientOracle(Reshape([4, 6]), input: [2, 3, 4], samples: 3, seed: 8).check()
  }

  @Test func sequential() throws {
    let network = Block([
      Conv2D(filters: 3, kernel: 3, padding: .same), Sigmoid(), Conv2D(filters: 2, kernel: 2), Flatten(), Sigmoid(),
      Dense(5),
    ])
    try GradientOracle(network, input: [4, 5, 2], samples: 3, seed: 9).check()
  }

  @Test func nestedSequential() throws {
    let network = Block([
      Block([Dense(9), Sigmoid()]), Block([Block([Dense(34)]), Sigmoid(), Dense(3)]), Sigmoid(), Dense(4),
    ])
    try GradientOracle(network, input: [16], samples: 3, seed: 10).check()
  }

  /// With no input gradient to give: layers before the first that learns are not asked for theirs.
  @Test func sequentialThatOnlyLearns() throws {
    let network = Block([Sigmoid(), Conv2D(filters: 2, kernel: 3), Sigmoid(), Dense(3)])
    try GradientOracle(network, input: [5, 5, 1], samples: 3, seed: 11, needsInputGradient: false).check(ofInput: false)
  }
}
