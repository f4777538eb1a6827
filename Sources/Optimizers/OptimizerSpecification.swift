import NeuralNetworks
import Tensors

/// An optimizer and its constants, as a value: `Adam(learningRate: 1e-3)`, `SGD(momentum: 0.9)`. A run makes an
/// ``Optimizer`` of it once it knows the network's layout.
public protocol OptimizerSpecification: Sendable {
  /// The name in checkpoints: `adam`.
  var name: String { get }
  /// The name for people: `Adam`.
  var title: String { get }
  /// The step size α, before the schedule's factor.
  var learningRate: Float { get set }
  /// The constants that do not have their usual values, except the learning rate, as lines of a checkpoint's recipe:
  /// `weight_decay`, `0.1`. The bits of a step follow from these lines, the name and the learning rate.
  var settings: [(key: String, value: String)] { get }
  /// The names of the values that the optimizer keeps for every parameter between steps: `m`, `v`.
  var stateNames: [String] { get }
  /// The fault of the constants: `momentum 1.5 is not from 0 to below 1`; nil if they have none.
  var fault: String? { get }
  /// Whether an element's step follows from that element's parameter, gradient and state alone. If true, each rank may
  /// step a slice, cut anywhere, for all ranks. Else every rank steps all parameters.
  var isElementwise: Bool { get }

  /// The optimizer for the parameters of `layout`. `state` is zero at the start of a run.
  func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer
}

extension OptimizerSpecification {
  public var title: String { name }
  public var settings: [(key: String, value: String)] { [] }
  public var fault: String? { faultOfRate }

  /// The fault of the learning rate; nil if it has none.
  var faultOfRate: String? {
    learningRate > 0 && learningRate.isFinite ? nil : "\(Setting.learningRate) \(learningRate) is not a positive number"
  }

  /// The optimizer for all parameters of `layout`, with zeroed state.
  public func makeOptimizer(for layout: ParameterLayout, schedule: Schedule = .constant) -> any Optimizer {
    let state = OptimizerState(stateNames, of: 0..<layout.count)
    return makeOptimizer(state: state, layout: layout, schedule: schedule)
  }
}
