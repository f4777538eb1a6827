import NeuralNetworks
import Tensors

extension LayerNorm: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let rows = builder.channelsLast(input)
    let parameters = try ["scale", "shift"].map { try builder.parameter($0) }
    return rows.renamed(
      builder.node(
        "LayerNormalization", [rows.name] + parameters, ["axis": .integer(-1), "epsilon": .float(1e-5)]))
  }
}

extension Positions: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    input.renamed(builder.node("Add", [input.name, try builder.parameter("positions")]))
  }
}

extension ClassToken: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let (tokens, width) = (input.shape[0], input.shape[1])
    let samples = builder.node("Shape", [input.name], ["start": .integer(0), "end": .integer(1)])
    let shape = builder.node("Concat", [samples, builder.integers([1, width])], ["axis": .integer(0)])
    let token = builder.node("Expand", [try builder.parameter("token"), shape])
    return ONNXValue(builder.node("Concat", [token, input.name], ["axis": .integer(1)]), [tokens + 1, width])
  }
}

extension Token: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    ONNXValue(
      builder.node("Gather", [input.name, builder.integer(index)], ["axis": .integer(1)]), [input.shape[1]])
  }
}

extension Tokens: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    let tokens = input.shape[0]
    let range = [first, tokens, 1].map { builder.integers([$0]) }
    return ONNXValue(builder.node("Slice", [input.name] + range), [tokens - first, input.shape[1]])
  }
}

extension Embedding: ONNXLayer {
  /// A token that is none is an error there, and NaN here.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    // Type 7 are integers of 64 bits.
    let tokens = builder.node("Cast", [input.name], ["to": .integer(7)])
    let vectors = builder.node("Gather", [try builder.parameter("vectors"), tokens], ["axis": .integer(0)])
    return ONNXValue(vectors, [input.shape[0], width])
  }
}

extension Shift: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    let sequence = builder.channelsLast(input)
    let positions = sequence.shape[0]
    let start = builder.number(start)
    // All positions but the last, with the start before them.
    let range = [0, positions - 1, 1].map { builder.integers([$0]) }
    let before = builder.node("Slice", [sequence.name] + range)
    var pads = [Int](repeating: 0, count: 2 * (sequence.shape.rank + 1))
    pads[1] = 1
    return sequence.renamed(builder.node("Pad", [before, builder.integers(pads), start]))
  }
}

extension MultiHeadAttention: ONNXLayer {
  /// Written out: softmax(q · kᵀ / √d) · v of every head, with products between.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let (tokens, width) = (input.shape[0], input.shape[1])
    let projected = try builder.projection(input.name, weights: "inputWeights", bias: "inputBias")
    let parts = builder.nodes("Split", [projected], outputs: 3, ["axis": .integer(2)])
    // [N, tokens, width] as [N, heads, tokens, d], and of keys [N, heads, d, tokens].
    let orders = [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]]
    let heads = zip(parts, orders).map { part, order in
      let split = builder.reshaped(part, [-1, tokens, self.heads, width / self.heads])
      return builder.node("Transpose", [split], ["perm": .integers(order)])
    }
    let products = builder.node("MatMul", [heads[0], heads[1]])
    let scale = builder.number(1 / Float(width / self.heads).squareRoot())
    var scores = builder.node("Mul", [products, scale])
    if causal { scores = builder.node("Add", [scores, try Self.mask(tokens, &builder)]) }
    let weights = builder.node("Softmax", [scores], ["axis": .integer(3)])
    let attended = builder.node("MatMul", [weights, heads[2]])
    let ordered = builder.node("Transpose", [attended], ["perm": .integers([0, 2, 1, 3])])
    let rows = builder.reshaped(ordered, [-1, tokens, width])
    return input.renamed(try builder.projection(rows, weights: "outputWeights", bias: "outputBias"))
  }

  /// [queries, keys]: 0 where a query sees the key, and a number so small that the softmax gives 0 where it does not.
  private static func mask(_ tokens: Int, _ builder: inout ONNXBuilder) throws -> String {
    try builder.sharedConstant("causal_mask:\(tokens)", shape: [tokens, tokens]) {
      (0..<tokens * tokens).map { $0 % tokens <= $0 / tokens ? 0 : -1e30 }
    }
  }
}
