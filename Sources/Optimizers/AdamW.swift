import NeuralNetworks

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019, Algorithm 2): before ``Adam``'s step every weight
/// shrinks by
///
///     θ = θ · (1 − α·λ)
///
/// with the schedule's α. Biases and scales do not decay. The same as PyTorch's `AdamW` with a group without decay for
/// them.
public struct AdamW: OptimizerSpecification, Hashable {
  /// The step after the decay.
  public var adam: Adam
  /// λ, at least 0.
  public var weightDecay: Float

  /// AdamW with these constants. The defaults are PyTorch's.
  public init(
    learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 1e-2
  ) {
    adam = Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    self.weightDecay = weightDecay
  }

  public var learningRate: Float {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }
  public var name: String { "adamw" }
  public var title: String { "AdamW" }
  public var stateNames: [String] { adam.stateNames }
  public var fault: String? { adam.fault ?? Optimizers.fault(ofWeightDecay: weightDecay) }
  public var isElementwise: Bool { true }
  public var settings: [(key: String, value: String)] {
    adam.settings + unusual([("weight_decay", weightDecay, 1e-2)])
  }

  public func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    AdamOptimizer(adam, weightDecay: weightDecay, state, layout, schedule)
  }
}
