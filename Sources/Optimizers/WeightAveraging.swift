import Kernels
import NeuralNetworks
import Tensors

/// Any optimizer, with an exponential moving average of the weights beside it (Polyak & Juditsky 1992), which is often
/// better than the weights themselves. After each step that is taken:
///
///     a = a + (1 − d) · (θ − a)        a is θ before the first step
///
/// The steps are those of ``base``, to the bit. The same as Keras' `use_ema` and PyTorch's `AveragedModel` with
/// `get_ema_multi_avg_fn(d)`, which begins with the weights after the first step. Frozen parameters are their own average.
public struct WeightAveraging: OptimizerSpecification {
  /// The optimizer that takes the steps.
  public var base: any OptimizerSpecification
  /// d, between 0 and 1.
  public var decay: Float

  /// The name of the averages among ``stateNames``: a checkpoint has `optimizer.ema.dense.weights`.
  public static let stateName = "ema"

  /// `base` with averages that keep the part `decay` at each step.
  public init(_ base: any OptimizerSpecification, decay: Float) {
    self.base = base
    self.decay = decay
  }

  public var learningRate: Float {
    get { base.learningRate }
    set { base.learningRate = newValue }
  }
  public var name: String { base.name }
  public var title: String { base.title }
  public var settings: [(key: String, value: String)] { base.settings + [("ema", "\(decay)")] }
  public var stateNames: [String] { base.stateNames + [Self.stateName] }
  public var isElementwise: Bool { base.isElementwise }
  public var fault: String? { base.fault ?? Self.fault(decay: decay) }

  /// The fault of a decay; nil if it has none.
  public static func fault(decay: Float) -> String? {
    decay > 0 && decay < 1 ? nil : "\(Setting.ema) \(decay) is not between 0 and 1"
  }

  public func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    let own = OptimizerState(Array(state.moments.dropLast()), of: state.range)
    return WeightAveragingOptimizer(
      base.makeOptimizer(state: own, layout: layout, schedule: schedule), keeping: decay, state)
  }
}

/// Takes the steps of ``WeightAveraging``.
private final class WeightAveragingOptimizer: Optimizer {
  let state: OptimizerState
  private let base: any Optimizer
  private let decay: Float

  init(_ base: any Optimizer, keeping decay: Float, _ state: OptimizerState) {
    self.state = state
    self.base = base
    self.decay = decay
  }

  func begin(with parameters: Buffer<Float>) {
    base.begin(with: parameters)
    averages(of: state.range).copy(from: parameters[state.range])
  }

  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int) {
    base.update(parameters, gradient: gradient, in: range, scale: scale, step: step)
    average(parameters[range], into: averages(of: range), keeping: decay)
  }

  private func averages(of range: Range<Int>) -> Buffer<Float> { state.values(state.moments.count - 1, of: range) }
}
