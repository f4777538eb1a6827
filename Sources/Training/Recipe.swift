import Collectives
import NeuralNetworks
import Optimizers
import Tensors

/// All that the weights of a run follow from, to the bit, beside its data: the same recipe on any number of ranks gives the same.
public struct Recipe: Sendable {
  /// What is trained.
  public var model: Model
  /// What it is trained to make small.
  public var loss: any Loss
  /// What turns gradients into steps, with its constants.
  public var optimizer: any OptimizerSpecification = Adam()
  /// The optimizer's α.
  public var learningRate: Float {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }
  /// How the step size changes after the warm-up.
  public var schedule = Schedule.Shape.constant
  /// The steps at the start in which the step size grows to its full.
  public var warmup = 0
  /// Passes over the training data.
  public var epochs = 5
  /// Samples in a step, over all ranks.
  public var globalBatch = 32
  /// Samples in a microbatch, the unit that ranks share out; nil for the default of the global batch.
  public var microbatch: Int?
  /// The norm that a mean gradient with a larger one is scaled down to; nil for none.
  public var clipNorm: Float?
  /// How gradients become one sum.
  public var reduction = ReductionMethod.lockstep
  /// What the first weights and every epoch's order follow from.
  public var seed: UInt64 = 0

  /// The article's recipe for another model: five epochs in batches of 32, with Adam.
  public init(model: Model, loss: any Loss) {
    self.model = model
    self.loss = loss
  }

  /// Throws ``TrainingError/Code/usage`` where a number of it is out of its range, or the optimizer's.
  public func validate() throws(TrainingError) {
    for (name, value, least) in [
      (Setting.epochs, epochs, 1), (.globalBatch, globalBatch, 1), (.microbatch, microbatch ?? 1, 1),
      (.warmup, warmup, 0),
    ] {
      guard value >= least else { throw TrainingError(.usage, "\(name) \(value) is less than \(least)") }
    }
    if let clipNorm {
      guard clipNorm > 0, clipNorm.isFinite else {
        throw TrainingError(.usage, "\(Setting.clipNorm) \(clipNorm) is not a positive number")
      }
    }
    if let fault = optimizer.fault { throw TrainingError(.usage, "optimizer \(optimizer.name): \(fault)") }
  }
}
