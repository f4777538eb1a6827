import Kernels
import NeuralNetworks
import Tensors

/// Stochastic gradient descent with momentum (Polyak 1964) or Nesterov's momentum (Sutskever et al. 2013). g is the
/// gradient averaged over the batch:
///
///     g = g + λ·θ                  weights alone
///     b = μ·b + g                  b is 0 before the first step
///     θ = θ − α·b                  with Nesterov's θ − α·(g + μ·b)
///
/// The same as PyTorch's `SGD` without dampening, with a group without decay for biases and scales. Without momentum
/// there is no b, and the step is θ − α·g.
public struct SGD: OptimizerSpecification, Hashable {
  /// α.
  public var learningRate: Float
  /// μ, from 0 to below 1.
  public var momentum: Float
  /// λ, at least 0.
  public var weightDecay: Float
  /// Whether the momentum is Nesterov's.
  public var isNesterov: Bool

  /// SGD with these constants. The defaults are PyTorch's, except the learning rate, which is Keras'.
  public init(learningRate: Float = 1e-2, momentum: Float = 0, weightDecay: Float = 0, isNesterov: Bool = false) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.isNesterov = isNesterov
  }

  public var name: String { "sgd" }
  public var title: String { "SGD" }
  public var fault: String? {
    faultOfRate ?? faultOfDecays([("\(Setting.momentum)", momentum)]) ?? Optimizers.fault(ofWeightDecay: weightDecay)
      ?? (isNesterov && momentum == 0 ? "\(Setting.isNesterov) needs \(Setting.momentum) above 0, such as 0.9" : nil)
  }
  public var stateNames: [String] { momentum == 0 ? [] : ["momentum"] }
  public var isElementwise: Bool { true }
  public var settings: [(key: String, value: String)] {
    unusual([("momentum", momentum, 0), ("weight_decay", weightDecay, 0)]) + unusual([("nesterov", isNesterov, false)])
  }

  public func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    SGDOptimizer(self, state, layout, schedule)
  }
}

/// Takes the steps of ``SGD``.
private final class SGDOptimizer: Optimizer {
  let state: OptimizerState
  private let sgd: SGD
  private let schedule: Schedule
  private let groups: DecayGroups

  init(_ sgd: SGD, _ state: OptimizerState, _ layout: ParameterLayout, _ schedule: Schedule) {
    self.sgd = sgd
    self.state = state
    self.schedule = schedule
    groups = DecayGroups(of: layout, weightDecay: sgd.weightDecay)
  }

  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int) {
    let stepSize = Float(Double(sgd.learningRate) * schedule.factor(step: step))
    groups.forEach(in: range) { part, weightDecay in
      let coefficients = SGDCoefficients(
        gradientScale: scale, weightDecay: weightDecay, momentum: sgd.momentum, isNesterov: sgd.isNesterov,
        stepSize: stepSize)
      if state.moments.isEmpty {
        sgdStep(parameters: parameters[part], gradient: gradient[part], coefficients)
      } else {
        momentumStep(
          parameters: parameters[part], gradient: gradient[part], momentum: state.values(0, of: part), coefficients)
      }
    }
  }
}
