import Kernels
import NeuralNetworks
import Tensors

/// LAMB (You et al. 2020, Algorithm 2), for large batches: Adam's direction with decoupled weight decay, scaled to the
/// norm of each parameter.
///
///     u = m̂ / (√v̂ + ε) + λ·θ
///     θ = θ − α · ‖θ‖/‖u‖ · u            ‖θ‖/‖u‖ is 1 if one of them is 0
///
/// m̂ and v̂ are ``Adam``'s corrected moments. Biases and scales neither decay nor are scaled, as in the authors' own
/// program. A step needs the norms of whole parameters, so every rank steps all of them.
public struct LAMB: OptimizerSpecification, Hashable {
  /// The moments' decays, ε and the learning rate.
  public var adam: Adam
  /// λ, at least 0.
  public var weightDecay: Float

  /// LAMB with these constants. The defaults are the authors'.
  public init(
    learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-6,
    weightDecay: Float = 1e-2
  ) {
    adam = Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    self.weightDecay = weightDecay
  }

  public var learningRate: Float {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }
  public var name: String { "lamb" }
  public var title: String { "LAMB" }
  public var stateNames: [String] { adam.stateNames }
  public var fault: String? { adam.fault ?? Optimizers.fault(ofWeightDecay: weightDecay) }
  public var isElementwise: Bool { false }
  public var settings: [(key: String, value: String)] {
    unusual([
      ("beta1", adam.beta1, 0.9), ("beta2", adam.beta2, 0.999), ("epsilon", adam.epsilon, 1e-6),
      ("weight_decay", weightDecay, 1e-2),
    ])
  }

  public func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    LAMBOptimizer(self, state, layout, schedule)
  }
}

private final class LAMBOptimizer: Optimizer {
  let state: OptimizerState
  private let lamb: LAMB
  private let schedule: Schedule
  /// The parameters that are stepped, each with its weight decay; nil for one whose step is not scaled.
  private let parts: [(range: Range<Int>, weightDecay: Float?)]
  private let direction: Buffer<Float>

  init(_ lamb: LAMB, _ state: OptimizerState, _ layout: ParameterLayout, _ schedule: Schedule) {
    self.lamb = lamb
    self.state = state
    self.schedule = schedule
    parts = zip(layout.parameters, layout.ranges).compactMap { parameter, range in
      switch parameter.role {
      case .weight: (range, lamb.weightDecay)
      case .bias: (range, nil)
      case .average, .frozen: nil
      }
    }
    direction = Buffer(count: parts.map(\.range.count).max() ?? 0)
  }

  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int) {
    let rate = Double(lamb.learningRate) * schedule.factor(step: step)
    // The rate comes in behind the scaling.
    let coefficients = lamb.adam.coefficients(scale: scale, rate: 1, step: step)
    for (range, weightDecay) in parts {
      let direction = direction.prefix(range.count)
      lambDirection(
        parameters[range], gradient: gradient[range], firstMoment: state.values(0, of: range),
        secondMoment: state.values(1, of: range), into: direction, coefficients, weightDecay: weightDecay ?? 0)
      var trust = 1.0
      if weightDecay != nil {
        let norms = (sumOfSquares(parameters[range]).squareRoot(), sumOfSquares(direction).squareRoot())
        if norms.0 > 0 && norms.1 > 0 { trust = norms.0 / norms.1 }
      }
      subtract(direction, times: Float(rate * trust), from: parameters[range])
    }
  }
}
