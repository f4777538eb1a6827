import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Every layer under the contract that ``checkAddition(_:input:fromImages:alsoSamples:_:)`` states.
@Suite struct AccumulationTests {
  /// Every rank sets this, and more threads would change bits: OpenBLAS cuts the work by their number.
  init() { useOneBLASThread() }

  @Test(arguments: [
    (16, 1), (16, 10), (48, 5), (1424, 6), (19, 10), (5, 3), (40, 33), (33, 47), (272, 128), (1296, 36),
  ])
  func dense(inputs: Int, units: Int) throws {
    // Beyond any block of sgemm's, too, where it adds a sum in parts.
    try checkAddition([Dense(units)], input: [inputs], alsoSamples: [450, 801])
  }

  @Test(arguments: [Conv2D.Padding.valid, .same])
  func convolution(padding: Conv2D.Padding) throws {
    try checkAddition([Conv2D(filters: 5, kernel: 3, padding: padding)], input: [6, 5, 3])
    try checkAddition([Conv2D(filters: 2, kernel: 3, padding: padding)], input: [10, 10, 1])
    // By the direct kernel, alone and with its ReLU.
    try checkAddition([Conv2D(filters: 32, kernel: 3, padding: padding)], input: [4, 6, 32])
    try checkAddition([Conv2D(filters: 32, kernel: 3, padding: padding), ReLU()], input: [6, 6, 1], fromImages: true)
  }

  @Test func strideAndNoBias() throws {
    let layers: [any LayerSpecification] = [
      Conv2D(filters: 5, kernel: 3, padding: .same, stride: 2, bias: false),
      Conv2D(filters: 2, kernel: 1, padding: .same, stride: 2), Conv2D(filters: 4, kernel: 3, bias: false),
    ]
    for layer in layers { try checkAddition([layer], input: [6, 5, 3]) }
    try checkAddition([Conv2D(filters: 32, kernel: 3, padding: .same, bias: false)], input: [3, 4, 32])
  }

  /// The sums over the rows, and what the averages move by.
  @Test func batchNorm() throws {
    for shape in [[5], [3, 16], [2, 3, 21]] as [Shape] { try checkAddition([BatchNorm()], input: shape) }
    try checkAddition(
      [
        Conv2D(filters: 4, kernel: 3, bias: false), BatchNorm(), ReLU(),
        Residual([Conv2D(filters: 4, kernel: 3, padding: .same, bias: false), BatchNorm()]), ReLU(),
        GlobalAveragePool2D(),
        Dense(3),
      ], input: [6, 5, 1], fromImages: true)
  }

  @Test func fused() throws {
    for filters in [16, 32] {
      try checkAddition(
        [Conv2D(filters: filters, kernel: 3), ReLU(), MaxPool2D(2)], input: [9, 8, 1], fromImages: true)
    }
  }

  @Test func sequential() throws {
    try checkAddition(
      [Conv2D(filters: 3, kernel: 3), ReLU(), MaxPool2D(2), Flatten(), Block([Dense(35), Sigmoid()]), Dense(10)],
      input: [8, 8, 2])
  }

  /// Sums over samples and steps, of sizes on whole vectors and off them.
  @Test func recurrent() throws {
    for (units, shape) in [(3, [5, 2]), (16, [4, 8]), (33, [2, 19]), (5, [1, 3])] as [(Int, Shape)] {
      for layer in [RNN(units), LSTM(units), GRU(units)] as [any LayerSpecification] {
        try checkAddition([layer], input: shape)
      }
    }
    try checkAddition([Reshape([4, 6]), LSTM(7), Tanh(), Dense(4)], input: [4, 3, 2], fromImages: true)
  }

  /// Sums over samples and tokens, of sizes on whole vectors and off them.
  @Test func tokens() throws {
    let layers: [(any LayerSpecification, Shape)] = [
      (TokenDense(3), [4, 5]), (TokenDense(33), [3, 16]), (LayerNorm(), [5]), (LayerNorm(), [3, 16]),
      (LayerNorm(), [2, 21]), (MultiHeadAttention(heads: 2), [5, 6]),
      (MultiHeadAttention(heads: 1, causal: true), [3, 16]), (MultiHeadAttention(heads: 1, causal: true), [70, 2]),
      (ClassToken(), [2, 5]), (ClassToken(), [3, 16]),
      (Positions(), [3, 7]),
    ]
    for (layer, shape) in layers {
      try checkAddition([layer], input: shape)
    }
    try checkAddition(
      [Patches(2), TokenDense(6), ClassToken(), Positions(), Token(0), LayerNorm(), Dense(3)], input: [4, 6, 1],
      fromImages: true)
  }

  @Test func maskedPatches() throws {
    for (size, shape) in [(2, [4, 6, 2]), (4, [8, 4, 2])] as [(Int, Shape)] {
      try checkAddition([Hiding(), MaskedPatches(size)], input: shape)
    }
    try checkAddition(
      [
        Hiding(), MaskedPatches(2), TokenDense(6), ClassToken(), Positions(), Tokens(from: 1), LayerNorm(),
        TokenDense(4),
      ], input: [4, 6, 2], fromImages: true)
  }

  /// Whole numbers 0, 1, 2 of the noise that tests are made of.
  private struct WholeNumbers: ElementwiseSpecification {
    let kind = "wholenumbers"
    static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) {
      for k in 0..<input.count { output[k] = ((input[k] + 1) * 1.4).rounded(.down) }
    }
    static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) { inputGradient.fill(0) }
  }

  @Test func embedding() throws {
    for width in [5, 16] {
      try checkAddition([WholeNumbers(), Shift(start: 2), Embedding(tokens: 3, width: width)], input: [7])
    }
  }

  @Test func gatedStack() throws {
    for (skip, dilations, shape) in [(5, [1, 2], [5, 3]), (16, [1, 4, 9], [8, 8]), (3, [2], [1, 2])]
      as [(Int, [Int], [Int])]
    {
      try checkAddition([GatedStack(skip: skip, dilations: dilations)], input: Shape(shape))
    }
    try checkAddition(
      [Flatten(), Shift(start: 0), Reshape([12, 1]), TokenDense(4), GatedStack(skip: 5, dilations: [1, 2]), ReLU()],
      input: [3, 4, 1], fromImages: true)
  }

  @Test func residual() throws {
    let widening = Residual(
      [Conv2D(filters: 3, kernel: 3, padding: .same), Sigmoid(), Conv2D(filters: 4, kernel: 1)],
      shortcut: [Conv2D(filters: 4, kernel: 1)])
    try checkAddition([widening, Flatten(), Residual([Dense(48)])], input: [4, 3, 2])
    try checkAddition(
      [Residual([LayerNorm(), MultiHeadAttention(heads: 2)]), Residual([TokenDense(5), GELU(), TokenDense(4)])],
      input: [3, 4])
  }

  /// A layer that learns nothing has nothing to add: its input gradient replaces what is there under both.
  @Test func inputGradientsAlwaysReplace() throws {
    let layers: [(any LayerSpecification, Shape)] = [
      (Dense(10), [16]), (Dense(34), [5]), (Conv2D(filters: 2, kernel: 3), [5, 5, 2]), (ReLU(), [7]), (Sigmoid(), [7]),
      (MaxPool2D(2), [5, 4, 3]), (MaxPool2D(2, stride: 1), [5, 4, 3]), (Flatten(), [2, 2, 2]),
      (Reshape([4, 2]), [2, 2, 2]),
      (Tanh(), [7]), (GELU(), [7]), (SiLU(), [7]),
      (RNN(5), [3, 4]), (LSTM(5), [3, 4]), (GRU(5), [3, 4]),
      (LayerNorm(), [3, 4]), (MultiHeadAttention(heads: 2), [3, 4]), (TokenDense(5), [3, 4]), (Patches(2), [4, 6, 2]),
      (ClassToken(), [3, 4]), (Positions(), [3, 4]), (Token(1), [3, 4]), (Residual([Dense(4), Sigmoid()]), [4]),
      (Residual([Dense(5)], shortcut: [Dense(5)]), [4]), (Block([Residual([Dense(4)]), ReLU()]), [4]),
      (Conv2D(filters: 2, kernel: 3, padding: .same, stride: 2, bias: false), [5, 5, 2]), (BatchNorm(), [2, 3, 4]),
      (Block([BatchNorm(), ReLU()]), [5]), (GlobalAveragePool2D(), [3, 2, 4]),
      (Shift(start: 1), [4, 2]), (Tokens(from: 1), [3, 4]), (MaskedPatches(2), [4, 6, 2]),
      (GatedStack(skip: 3, dilations: [1, 2]), [4, 2]),
    ]
    for (specification, shape) in layers {
      let layer = try specification.makeLayer(input: shape, capacity: 3, needsInputGradient: true)
      let layout = ParameterLayout(layer.parameters)
      let pass = Pass(samples: 3, noise: Noise(seed: 1, step: 1, firstPosition: 0))
      let input = noise(3 * shape.count, seed: 1, stream: 1)
      let parameters = noise(layout.count, seed: 1, stream: 2)
      let output = Buffer<Float>(count: 3 * (try specification.outputShape(for: shape)).count)
      let outputGradient = noise(output.count, seed: 1, stream: 3)
      layer.forward(input, parameters, into: output, pass)
      let inputGradients = [Accumulation.replace, .add].map { accumulation in
        let inputGradient = Buffer<Float>(count: input.count)
        inputGradient.fill(.nan)
        layer.backward(
          outputGradient, input: input, output: output, parameters: parameters, into: inputGradient,
          gradient: Buffer(count: layout.count), accumulation, pass)
        return bits(inputGradient)
      }
      #expect(inputGradients[0] == inputGradients[1], "\(specification)")
      #expect(inputGradients[0].allSatisfy { Float(bitPattern: $0).isFinite }, "\(specification)")
    }
  }
}
