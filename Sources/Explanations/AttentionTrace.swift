import NeuralNetworks
import Tensors

/// A network gone through step by step, so that the weights of its attention can be seen.
final class AttentionTrace {
  /// A layer or, for those with attention inside, also the steps that lead to it.
  private struct Step {
    let run: Sequential
    let layout: ParameterLayout
    /// The place of its parameters in the network's block.
    let start: Int
    let output: Shape
    /// The layer, where it is attention; its input is of this shape.
    let attention: (layer: MultiHeadAttention, input: Shape)?
    /// The steps within, where it is gone around.
    let within: [Step]

    var holdsAttention: Bool { attention != nil || within.contains(where: \.holdsAttention) }
  }

  /// The number of layers with attention.
  let depth: Int
  private let network: ExplainedNetwork
  private let steps: [Step]

  init(_ network: ExplainedNetwork) throws {
    self.network = network
    var start = 0
    steps = try Self.steps(of: network.model.layers, input: network.model.input, from: &start)
    depth = Self.depth(of: steps)
  }

  private static func depth(of steps: [Step]) -> Int {
    steps.reduce(0) { $0 + ($1.attention == nil ? depth(of: $1.within) : 1) }
  }

  /// Those of `layers`, whose parameters begin at `start`, which moves behind them.
  private static func steps(
    of layers: [any LayerSpecification], input: Shape, from start: inout Int
  ) throws -> [Step] {
    var steps: [Step] = []
    for layer in try NamedLayer.all(of: layers, input: input) where !layer.isRenaming {
      let run = try Sequential([layer.specification], input: layer.input, capacity: 1)
      let layout = ParameterLayout(run.parameters)
      var inner = start
      let residual = layer.specification as? Residual
      let within = try residual.map { try Self.steps(of: $0.body.layers, input: layer.input, from: &inner) } ?? []
      let attention = (layer.specification as? MultiHeadAttention).map { (layer: $0, input: layer.input) }
      steps.append(
        Step(run: run, layout: layout, start: start, output: layer.output, attention: attention, within: within))
      start += layout.count
    }
    return steps
  }

  /// Calls `body` with the weights of each layer with attention for `input`, [heads, tokens, tokens], from the first to the last.
  func forEachAttention(for input: Buffer<Float>, _ body: (_ heads: Int, _ weights: Buffer<Float>) -> Void) throws {
    try follow(steps, input, body)
  }

  private func follow(
    _ steps: [Step], _ input: Buffer<Float>, _ body: (_ heads: Int, _ weights: Buffer<Float>) -> Void
  ) throws {
    guard let last = steps.lastIndex(where: \.holdsAttention) else { return }
    var current = input
    for step in steps[...last] {
      let own = ParameterBlock(network.parameters[step.start..<step.start + step.layout.count], step.layout)
      if let (layer, shape) = step.attention { body(layer.heads, try layer.weights(of: current, shape: shape, own)) }
      try follow(step.within, current, body)
      let next = Buffer<Float>(count: step.output.count)
      step.run.forward(current, own, into: next, Pass(samples: 1))
      current = next
    }
  }
}
