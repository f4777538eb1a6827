import NeuralNetworks

/// Adam with bias correction (Kingma & Ba 2015, Algorithm 1). g is the gradient averaged over the batch, t the step:
///
///     m = β₁·m + (1 − β₁)·g        m̂ = m / (1 − β₁ᵗ)
///     v = β₂·v + (1 − β₂)·g²       v̂ = v / (1 − β₂ᵗ)
///     θ = θ − α · m̂ / (√v̂ + ε)
///
/// The same as PyTorch's `Adam`. Keras' has another ε, 1e-7.
public struct Adam: OptimizerSpecification, Hashable {
  /// α.
  public var learningRate: Float
  /// β₁, from 0 to below 1.
  public var beta1: Float
  /// β₂, from 0 to below 1.
  public var beta2: Float
  /// ε.
  public var epsilon: Float

  /// Adam with these constants. The defaults are the paper's.
  public init(learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  public var name: String { "adam" }
  public var title: String { "Adam" }
  public var stateNames: [String] { ["m", "v"] }
  public var fault: String? {
    faultOfRate ?? faultOfDecays([("beta1", beta1), ("beta2", beta2)])
      ?? (epsilon > 0 && epsilon.isFinite ? nil : "epsilon \(epsilon) is not a positive number")
  }
  public var isElementwise: Bool { true }
  public var settings: [(key: String, value: String)] {
    unusual([("beta1", beta1, 0.9), ("beta2", beta2, 0.999), ("epsilon", epsilon, 1e-8)])
  }

  public func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    AdamOptimizer(self, weightDecay: 0, state, layout, schedule)
  }
}
