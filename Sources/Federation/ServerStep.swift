import Kernels
import NeuralNetworks
import Tensors

/// The server's step along the mean of a round's updates. Every rank takes the same one, on all parameters.
final class ServerStep {
  /// The state of every parameter, by its name in a checkpoint.
  let moments: [(name: String, values: Buffer<Float>)]

  private let strategy: FederatedStrategy
  private let rate: Float
  private let clients: Int
  private let stepped: [Range<Int>]
  private let averages: [Range<Int>]

  /// The step of `recipe` for parameters in `layout`, before the first round.
  init(_ recipe: FederatedRecipe, _ layout: ParameterLayout) {
    strategy = recipe.strategy
    rate = recipe.serverRate ?? strategy.usualServerRate
    clients = recipe.clients
    stepped = layout.ranges(of: [.weight, .bias])
    averages = layout.ranges(of: [.average])
    switch strategy {
    case .fedAvg, .fedProx: moments = []
    case .scaffold: moments = [("variate", Buffer(count: layout.count))]
    case .fedAdam(_, _, let tau):
      let (first, second) = (Buffer<Float>(count: layout.count), Buffer<Float>(count: layout.count))
      second.fill(tau * tau)
      moments = [("m", first), ("v", second)]
    }
  }

  /// c of SCAFFOLD; nil of other strategies.
  var variate: Buffer<Float>? { strategy == .scaffold ? moments[0].values : nil }

  /// Steps `parameters` along `mean`. With SCAFFOLD the second half of it is the sum of what the clients' variates moved.
  func take(_ parameters: Buffer<Float>, along mean: Buffer<Float>) {
    let count = parameters.count
    for range in averages { subtract(mean[range], times: 1, from: parameters[range]) }
    switch strategy {
    case .fedAvg, .fedProx, .scaffold:
      for range in stepped { subtract(mean[range], times: rate, from: parameters[range]) }
    case .fedAdam(let beta1, let beta2, let tau):
      // Without the corrections of Adam's beginning.
      let coefficients = AdamCoefficients(
        gradientScale: 1, beta1: beta1, beta2: beta2, stepSize: rate, secondMomentCorrection: 1, epsilon: tau)
      for range in stepped {
        adamStep(
          parameters: parameters[range], gradient: mean[range], firstMoment: moments[0].values[range],
          secondMoment: moments[1].values[range], coefficients)
      }
    }
    if let variate { subtract(mean[count..<2 * count], times: -1 / Float(clients), from: variate) }
  }
}
