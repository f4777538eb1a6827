import NeuralNetworks
import Tensors

/// An optimizer with its constants, as a value: `Adam(learningRate: 1e-3)`, `SGD(momentum: 0.9)`. A run makes an ``Optimizer`` of it
/// once the network's layout is known.
public protocol OptimizerSpecification: Sendable {
  /// The name that a checkpoint has it under: `adam`.
  var name: String { get }
  /// The name for people: `Adam`.
  var title: String { get }
  /// The step size α at its full, before the schedule.
  var learningRate: Float { get set }
  /// The constants that are not the usual ones, beside the learning rate, as lines of a checkpoint's recipe: `weight_decay`, `0.1`.
  /// Together with name and learning rate they say all that the bits of a step follow from.
  var settings: [(key: String, value: String)] { get }
  /// The names of the values that it keeps between steps, one of each for every parameter: `m`, `v`.
  var stateNames: [String] { get }
  /// What is wrong with its constants: `momentum 1.5 is not from 0 to below 1`; nil where they are what they may be.
  var fault: String? { get }
  /// Whether an element's step follows from that element's parameter, gradient and state alone. Then each rank may step a slice for all,
  /// cut anywhere. Else every rank steps all parameters.
  var isElementwise: Bool { get }

  /// The optimizer for parameters laid out by `layout`, whose `state` is zero at the start of a run.
  func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer
}

extension OptimizerSpecification {
  public var title: String { name }
  public var settings: [(key: String, value: String)] { [] }
  public var fault: String? { faultOfRate }

  /// What is wrong with the learning rate alone.
  var faultOfRate: String? {
    learningRate > 0 && learningRate.isFinite ? nil : "\(Setting.learningRate) \(learningRate) is not a positive number"
  }

  /// The optimizer with state of its own, for all parameters of `layout`.
  public func makeOptimizer(for layout: ParameterLayout, schedule: Schedule = .constant) -> any Optimizer {
    let state = OptimizerState(stateNames, of: 0..<layout.count)
    return makeOptimizer(state: state, layout: layout, schedule: schedule)
  }
}
