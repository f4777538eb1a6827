import NeuralNetworks
import Tensors

/// The output of a convolution, each channel weighted by the mean slope of the score in it: `max(0, Σₖ αₖ · Aₖ)`, αₖ the mean of ∂F/∂Aₖ over
/// the positions, enlarged to the input's size between the middles of the positions.
///
/// Source: Selvaraju et al. 2016 (arXiv 1610.02391).
public struct GradCAM: AttributionMethod {
  /// The layer whose output A is; nil for the last convolution or, where that is gone around, for what leaves the way around it and the
  /// rectifier behind.
  public let layer: String?
  /// Whether numbers below 0 are 0, as in the paper.
  public let rectifying: Bool
  public var name: String { "grad-cam" }

  /// A map of the output of `layer`, called as its parameters are: `convolution2`, or `relu3` for the third of its kind.
  public init(layer: String? = nil, rectifying: Bool = true) { (self.layer, self.rectifying) = (layer, rectifying) }

  public func check(_ network: ExplainedNetwork) throws { _ = try place(in: network) }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) throws -> Attribution {
    let map = try layerMap(of: input, target: target, in: network)
    let grid = PixelGrid(network.model.input)
    return Attribution(
      values: enlarged(map.values, PixelGrid(map.shape), to: grid), shape: grid.map, isSigned: map.isSigned)
  }

  /// The map at the layer's own size [rows, columns, 1], before it is enlarged. Throws `ModelError` if there is no such layer.
  public func layerMap(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) throws -> Attribution {
    let divided = try network.divided(behind: place(in: network))
    let (values, gradient) = divided.activation(of: input, target: target)
    let grid = PixelGrid(divided.shape)
    var sums = [Double](repeating: 0, count: grid.pixels)
    for channel in 0..<grid.channels {
      var weight = 0.0
      for position in 0..<grid.pixels { weight += Double(gradient[position * grid.channels + channel]) }
      weight /= Double(grid.pixels)
      for position in 0..<grid.pixels { sums[position] += weight * Double(values[position * grid.channels + channel]) }
    }
    let map = sums.map { Float(rectifying ? max(0, $0) : $0) }
    return Attribution(values: Buffer(map), shape: grid.map, isSigned: !rectifying)
  }

  /// The place of the layer among the network's.
  private func place(in network: ExplainedNetwork) throws -> Int {
    let layers = try network.layers()
    if let layer {
      guard let place = layers.firstIndex(where: { ExactText($0.name) == ExactText(layer) }) else {
        throw ModelError(
          "\(name): there is no layer \(quoted(layer)); there are: "
            + layers.filter { $0.output.rank == 3 && !$0.isRenaming }.map(\.name).joined(separator: ", "))
      }
      guard layers[place].output.rank == 3, !layers[place].isRenaming else {
        throw ModelError(
          "\(name): the output of \(quoted(layer)) is of shape \(layers[place].output), and no [rows, columns, channels]"
        )
      }
      return place
    }
    guard let last = layers.lastIndex(where: { $0.holdsConvolution && $0.output.rank == 3 }) else {
      throw ModelError(
        "\(name) needs a convolution, and model \(escaped(network.model.name)) has none; choose another method")
    }
    let isGoneAround = layers[last].specification is Residual && last + 1 < layers.count
    return isGoneAround && layers[last + 1].specification is ReLU ? last + 1 : last
  }

  /// `map` enlarged bilinearly, with corners that are not aligned (PyTorch's `interpolate`).
  private func enlarged(_ map: Buffer<Float>, _ from: PixelGrid, to size: PixelGrid) -> Buffer<Float> {
    func between(_ index: Int, _ extent: Int, _ own: Int) -> (first: Int, second: Int, part: Float) {
      let place = max(0, (Float(index) + 0.5) * Float(own) / Float(extent) - 0.5)
      let first = min(Int(place), own - 1)
      return (first, min(first + 1, own - 1), place - Float(first))
    }
    let result = Buffer<Float>(count: size.pixels)
    for row in 0..<size.rows {
      let y = between(row, size.rows, from.rows)
      for column in 0..<size.columns {
        let x = between(column, size.columns, from.columns)
        func along(_ row: Int) -> Float {
          let (left, right) = (map[row * from.columns + x.first], map[row * from.columns + x.second])
          return left + x.part * (right - left)
        }
        let (above, below) = (along(y.first), along(y.second))
        result[row * size.columns + column] = above + y.part * (below - above)
      }
    }
    return result
  }
}
