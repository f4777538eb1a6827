import Collectives
import Datasets
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
  /// The norm that a sample's gradient with a larger one is scaled down to, before they are added; nil for none. It costs several times
  /// the work (``SampleClippedGradient``).
  public var sampleClipNorm: Float?
  /// How gradients become one sum.
  public var reduction = ReductionMethod.lockstep
  /// What the first weights and every epoch's order follow from.
  public var seed: UInt64 = 0

  /// The article's recipe for another model: five epochs in batches of 32, with Adam.
  public init(model: Model, loss: any Loss) {
    self.model = model
    self.loss = loss
  }

  /// What is wrong with it by itself, in a line; nil where nothing is.
  public var fault: String? {
    Self.fault(
      epochs: epochs, globalBatch: globalBatch, microbatch: microbatch, warmup: warmup, clipNorm: clipNorm,
      sampleClipNorm: sampleClipNorm)
      ?? optimizer.fault.map { "\(optimizer.name): \($0)" }
  }

  /// What is wrong with these numbers of a recipe, for whoever has them before its model; nil where nothing is.
  public static func fault(
    epochs: Int = 1, globalBatch: Int = 1, microbatch: Int? = nil, warmup: Int = 0, clipNorm: Float? = nil,
    sampleClipNorm: Float? = nil
  ) -> String? {
    for (name, value, least) in [
      (Setting.epochs, epochs, 1), (.globalBatch, globalBatch, 1), (.microbatch, microbatch ?? 1, 1),
      (.warmup, warmup, 0),
    ] where value < least {
      return "\(name) \(value) is less than \(least)"
    }
    for (name, norm) in [(Setting.clipNorm, clipNorm), (.sampleClipNorm, sampleClipNorm)] {
      if let norm, !(norm > 0 && norm.isFinite) { return "\(name) \(norm) is not a positive number" }
    }
    return nil
  }

  /// Where its gradients come from: a way of training is chosen here.
  func gradientSource(_ network: Network, _ training: any Dataset, _ batches: BatchPlan) -> any GradientSource {
    if let sampleClipNorm {
      return SampleClippedGradient(network, training, batches: batches, clipNorm: sampleClipNorm)
    }
    return NetworkGradient(network, training, batches: batches)
  }
}
