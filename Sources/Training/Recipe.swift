import Collectives
import Datasets
import NeuralNetworks
import Optimizers
import Steps
import Tensors

/// All that decides the weights of a run, to the bit, beside its data. The same recipe gives the same weights on any
/// number of ranks.
public struct Recipe: Sendable {
  /// The network that is trained.
  public var model: Model
  /// The loss that training makes small.
  public var loss: any Loss
  /// The optimizer that turns gradients into steps, with its constants.
  public var optimizer: any OptimizerSpecification = Adam()
  /// The learning rate α of the optimizer.
  public var learningRate: Float {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }
  /// How the step size changes after the warm-up.
  public var schedule = Schedule.Shape.constant
  /// The number of steps at the start in which the step size grows to its full value.
  public var warmup = 0
  /// The number of passes over the training data.
  public var epochs = 5
  /// The samples of a step, over all ranks.
  public var globalBatch = 32
  /// The samples of a microbatch, the unit that ranks share out; nil for ``usualMicrobatch``.
  public var microbatch: Int?
  /// The largest norm of the mean gradient: a longer one is scaled down to it. nil for no limit.
  public var clipNorm: Float?
  /// The largest norm of a sample's gradient: a longer one is scaled down to it before gradients are added. nil for no
  /// limit. It costs several times the work (``SampleClippedGradient``).
  public var sampleClipNorm: Float?
  /// Training with differential privacy; nil for none. It needs ``sampleClipNorm``.
  public var privacy: PrivateTraining?
  /// The random changes of the images that are trained on; nil for none.
  public var augmentation: Augmentation?
  /// The number of samples of the training data that are used, chosen by the seed (``TrainingParts``); nil for all.
  public var subset: Int?
  /// The part of these that is set aside, between 0 and 1; nil for none. Epochs are then evaluated on it, and the test
  /// data once, at the end.
  public var validation: Float?
  /// The path of a file whose weights the run begins with, if they fit (``InitialWeights``); nil for none.
  public var initialWeights: String?
  /// The patterns of the names of parameters that stay as they begin.
  public var frozen: [Glob] = []
  /// The part of the weights' averages that stays at each step (``WeightAveraging``); nil for no averages. With them,
  /// evaluations measure the averages.
  public var ema: Float?
  /// The rule by which the learning rate grows with the global batch; nil for none.
  public var rateScaling: RateScaling?
  /// The numbers that the factors of products are rounded to. Weights, moments, gradients, sums, norms and losses are of single precision always.
  public var precision = ProductPrecision.fp32
  /// How gradients become one sum.
  public var reduction = ReductionMethod.lockstep
  /// The seed of the first weights, of every epoch's order, and of all noise.
  public var seed: UInt64 = 0

  /// The article's recipe with this model and loss: five epochs in batches of 32, with Adam.
  public init(model: Model, loss: any Loss) {
    self.model = model
    self.loss = loss
  }

  /// The cut of `samples` samples an epoch. Throws ``BatchPlanError`` where the numbers do not fit.
  func batches(samples: Int) throws(BatchPlanError) -> BatchPlan {
    try BatchPlan(samples: samples, globalBatch: globalBatch, microbatch: microbatch, atMost: model.usualMicrobatch)
  }

  /// The samples of a microbatch where the recipe names none: an eighth of the global batch, from 4 up to what suits the model.
  public var usualMicrobatch: Int {
    BatchPlan.defaultMicrobatch(globalBatch: globalBatch, atMost: model.usualMicrobatch)
  }

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    Self.fault(
      epochs: epochs, globalBatch: globalBatch, microbatch: microbatch, warmup: warmup, clipNorm: clipNorm,
      sampleClipNorm: sampleClipNorm)
      ?? optimizer.fault.map { "\(optimizer.name): \($0)" } ?? faultOfRegime
  }

  /// The fault in how the data are used and the weights kept; nil if there is none.
  private var faultOfRegime: String? {
    if let fault = augmentation?.fault { return "\(Setting.augmentation): \(fault)" }
    if let subset, subset < 1 { return "\(Setting.subset) \(subset) is less than 1" }
    if let validation, !(validation > 0 && validation < 1) {
      return "\(Setting.validation) \(validation) is not between 0 and 1"
    }
    if let fault = privacy?.fault ?? faultOfPrivacy { return fault }
    if let fault = ema.flatMap({ WeightAveraging.fault(decay: $0) }) { return fault }
    guard !scaledLearningRate.isFinite else { return nil }
    return "\(Setting.rateScaling) makes \(Setting.learningRate) \(learningRate) too large"
  }

  /// The recipe with the same clipping and without noise.
  var withoutPrivacy: Recipe {
    var recipe = self
    recipe.privacy = nil
    return recipe
  }

  /// What private training does not go with, since it would use the samples beside the account; nil if there is none of it.
  private var faultOfPrivacy: String? {
    guard privacy != nil else { return nil }
    if augmentation?.mixup != nil {
      return
        "\(Setting.augmentation) mixup makes one sample of two, which private training cannot account for; leave it out"
    }
    if clipNorm != nil {
      return
        "\(Setting.clipNorm) measures the mean gradient without noise; private training has \(Setting.sampleClipNorm)"
    }
    return nil
  }

  /// The learning rate that the run's schedule begins with: ``learningRate`` or, with ``rateScaling``, that for the
  /// global batch.
  public var scaledLearningRate: Float {
    guard let rateScaling else { return learningRate }
    return Float(Double(learningRate) * rateScaling.factor(globalBatch: globalBatch))
  }

  /// The number of steps of the whole run with `count` steps an epoch; the largest integer if there are more.
  func steps(perEpoch count: Int) -> Int {
    let (product, isTooLarge) = count.multipliedReportingOverflow(by: epochs)
    return isTooLarge ? Int.max : product
  }

  /// The optimizer as the run needs it: with the scaled learning rate, and the averages beside it.
  var runOptimizer: any OptimizerSpecification {
    var optimizer = optimizer
    optimizer.learningRate = scaledLearningRate
    return ema.map { WeightAveraging(optimizer, decay: $0) } ?? optimizer
  }

  /// The fault in these numbers of a recipe, for callers that have no model yet; nil if there is none.
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

  /// The source of its gradients: the way of training is chosen here.
  func gradientSource(_ network: Network, _ training: any Dataset, _ batches: BatchPlan) -> any GradientSource {
    if let sampleClipNorm {
      return SampleClippedGradient(
        network, training, batches: batches, clipNorm: sampleClipNorm, mixup: augmentation?.mixup,
        together: privacy != nil)
    }
    return NetworkGradient(network, training, batches: batches, mixup: augmentation?.mixup)
  }
}
