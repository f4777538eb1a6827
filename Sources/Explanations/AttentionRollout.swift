import NeuralNetworks
import Tensors

/// How much of each patch of the image reaches the token that a Transformer reads the class off, through the attention of all its layers:
///
///     Aₗ = rows of (mean over heads of the weights + I), each divided by its sum      R = A_L · … · A₁
///
/// and of R the row of that token. Where no single token is read, the mean over all. It does not depend on the class.
///
/// Source: Abnar & Zuidema 2020 (arXiv 2005.00928).
public struct AttentionRollout: AttributionMethod {
  public var name: String { "rollout" }

  /// A map of attention.
  public init() {}

  public func check(_ network: ExplainedNetwork) throws { _ = try reading(network) }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) throws -> Attribution {
    let reading = try reading(network)
    var rollout: [Double] = []
    try network.attentionTrace().forEachAttention(for: input) { heads, weights in
      rollout = product(mixing(weights, heads: heads, tokens: reading.tokens), rollout, reading.tokens)
    }
    let grid = PixelGrid(network.model.input)
    let rows = reading.row.map { [$0] } ?? Array(0..<reading.tokens)
    let values = Buffer<Float>(count: grid.pixels)
    for pixel in 0..<grid.pixels {
      let sum = rows.reduce(0.0) { $0 + rollout[$1 * reading.tokens + reading.token(of: pixel, grid)] }
      values[pixel] = Float(sum / Double(rows.count))
    }
    return Attribution(values: values, shape: grid.map, isSigned: false)
  }

  /// The mean of `weights` [heads, tokens, tokens] over the heads with the identity added, each row divided by its sum.
  private func mixing(_ weights: Buffer<Float>, heads: Int, tokens: Int) -> [Double] {
    let size = tokens * tokens
    var mixed = (0..<size).map { place in
      (0..<heads).reduce(0.0) { $0 + Double(weights[$1 * size + place]) } / Double(heads)
    }
    for row in 0..<tokens {
      mixed[row * tokens + row] += 1
      let range = row * tokens..<(row + 1) * tokens
      let sum = mixed[range].reduce(0, +)
      for place in range { mixed[place] /= sum }
    }
    return mixed
  }

  /// `left · right`, square matrices of `size`; an empty `right` is the identity.
  private func product(_ left: [Double], _ right: [Double], _ size: Int) -> [Double] {
    guard !right.isEmpty else { return left }
    var result = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for inner in 0..<size {
        let factor = left[row * size + inner]
        for column in 0..<size { result[row * size + column] += factor * right[inner * size + column] }
      }
    }
    return result
  }

  /// How a network's tokens belong to its pixels and to its class.
  private struct Reading {
    let tokens: Int
    /// The tokens in front that are of no pixel.
    let learnt: Int
    /// The side of a patch; nil where a token is consecutive pixels.
    let patch: Int?
    /// The token that the class is read off; nil for all.
    let row: Int?

    func token(of pixel: Int, _ grid: PixelGrid) -> Int {
      guard let patch else { return learnt + pixel / (grid.pixels / (tokens - learnt)) }
      return learnt + pixel / grid.columns / patch * (grid.columns / patch) + pixel % grid.columns / patch
    }
  }

  private func reading(_ network: ExplainedNetwork) throws -> Reading {
    func fault(_ words: String) -> ModelError {
      ModelError("\(name) \(words) model \(escaped(network.model.name)); choose another method")
    }
    let layers = try network.layers()
    guard try network.attentionTrace().depth > 0,
      let first = layers.firstIndex(where: { holdsAttention($0.specification) }),
      let last = layers.lastIndex(where: { holdsAttention($0.specification) })
    else { throw fault("needs attention, and there is none in") }
    let (tokens, grid) = (layers[first].input[0], PixelGrid(network.model.input))
    let learnt = layers[..<first].count { $0.specification is ClassToken }
    let patch = (layers.first { !$0.isRenaming }?.specification as? Patches)?.size
    let own = tokens - learnt
    let fits = own > 0 && grid.pixels % own == 0 && patch.map { own * $0 * $0 == grid.pixels } ?? true
    guard fits, layers[first...last].allSatisfy({ $0.output == layers[first].input }) else {
      throw fault("cannot tell which pixels the tokens are of, in")
    }
    let read = layers[(last + 1)...].compactMap { ($0.specification as? Token)?.index }.first
    return Reading(tokens: tokens, learnt: learnt, patch: patch, row: read)
  }

  private func holdsAttention(_ layer: any LayerSpecification) -> Bool {
    switch layer {
    case is MultiHeadAttention: true
    case let residual as Residual: residual.body.layers.contains(where: holdsAttention)
    case let block as Block: block.layers.contains(where: holdsAttention)
    default: false
    }
  }
}
