import Kernels
import Lockstep

/// Networks to be explained.
enum Nets {
  /// Numbers in −1 ..< 1 that follow from `seed`.
  static func numbers(_ count: Int, seed: UInt64) -> Buffer<Float> {
    var words = Philox(seed: seed, purpose: Philox.Purpose(rawValue: 99), stream: 0)
    return Buffer((0..<count).map { _ in 2 * words.nextUniform() - 1 })
  }

  /// `model` with weights of its own start by `seed`, or with those that `change` makes of them.
  static func explained(
    _ model: Model, loss: any Loss, seed: UInt64 = 1, score: ExplainedNetwork.Score = .logit,
    _ change: (Network, Buffer<Float>) -> Void = { _, _ in }
  ) throws -> ExplainedNetwork {
    useOneBLASThread()
    let network = try Network(model, loss: loss, capacity: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: seed)
    change(network, parameters)
    return try ExplainedNetwork(network, parameters: parameters, score: score)
  }

  /// A net of one dense layer on 6×5 pixels, w · x + b; and w of the class `target` [6 · 5].
  static func linear(target: Int) throws -> (network: ExplainedNetwork, weights: [Float]) {
    let model = Model("linear", input: [6, 5, 1]) {
      Flatten()
      Dense(3)
    }
    var weights: [Float] = []
    let network = try explained(model, loss: SoftmaxCrossEntropy(classes: 3)) { network, parameters in
      weights = parameters[network.layout.ranges[0]].row(target, of: 30).array
    }
    return (network, weights)
  }

  /// Convolutions with everything that is otherwise in training than in an evaluation, on 8×8 pixels of two channels.
  static let smooth = Model("smooth", input: [8, 8, 2]) {
    Conv2D(filters: 4, kernel: 3, bias: false)
    BatchNorm()
    Sigmoid()
    Dropout(0.5)
    Residual {
      Conv2D(filters: 4, kernel: 3, padding: .same)
      BatchNorm()
      GELU()
    }
    GlobalAveragePool2D()
    Dense(3)
  }

  /// A small Transformer on 8×8 pixels: four patches and a class token.
  static let transformer = Model("transformer", input: [8, 8, 1]) {
    Patches(4)
    TokenDense(8)
    ClassToken()
    Positions()
    Block([
      Residual {
        LayerNorm()
        MultiHeadAttention(heads: 2)
      }
    ])
    Residual {
      LayerNorm()
      MultiHeadAttention(heads: 4)
    }
    Token(0)
    Dense(3)
  }

  /// Rows of 8×8 pixels through a recurrent layer.
  static let recurrent = Model("recurrent", input: [8, 8, 1]) {
    Reshape([8, 8])
    LSTM(16)
    Dense(3)
  }

  /// Averages, scales and biases that are not those that a network starts with.
  static func moveAverages(_ network: Network, _ parameters: Buffer<Float>) {
    for (place, parameter) in network.layout.parameters.enumerated() where parameter.role != .weight {
      let window = parameters[network.layout.ranges[place]]
      let values = numbers(window.count, seed: UInt64(place))
      let middle: Float = ["variance", "scale"].contains { parameter.name.hasSuffix($0) } ? 1 : 0
      for index in 0..<window.count { window[index] = middle + 0.3 * values[index] }
    }
  }
}

extension Buffer<Float> {
  /// The row `index` of a matrix of `columns` columns.
  func row(_ index: Int, of columns: Int) -> Buffer<Float> { self[index * columns..<(index + 1) * columns] }
}
