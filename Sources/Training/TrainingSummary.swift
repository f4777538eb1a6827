import Steps

/// A finished run, as `summary.json` holds it.
public struct TrainingSummary: Sendable, Codable {
  /// The model's name.
  public var model: String
  /// The number of learnt values.
  public var parameters: Int
  /// The number of ranks.
  public var ranks: Int
  /// The samples of a step, over all ranks.
  public var globalBatch: Int
  /// The samples of a microbatch.
  public var microbatch: Int
  /// The number of epochs that were asked for.
  public var epochs: Int
  /// The last step, counted over the whole run from 1.
  public var steps: Int
  /// The seed of all that is random.
  public var seed: UInt64
  /// The name of a ``ReductionMethod``.
  public var reduction: String
  /// The accuracy on the test data, 0 to 1; nil where the loss has none (``Loss/countsCorrect``).
  public var testAccuracy: Double?
  /// The mean loss on the test data.
  public var testLoss: Double
  /// What the last evaluation found of the classes; nil where the loss is over none.
  public var testMetrics: ClassificationReport?
  /// The errors of predicted numbers in the last evaluation; nil unless the loss is the mean squared error.
  public var testErrors: RegressionReport?
  /// The last scores of the metrics that the run was given; not in the file.
  public var testScores: [Score] = []
  /// The samples of all ranks that were trained on in a second of training.
  public var trainSamplesPerSecond: Double
  /// The seconds from the process' start to the end of the run.
  public var secondsTotal: Double
  /// The seconds from the process' start to its first step.
  public var secondsToFirstStep: Double
  /// The part of the ranks' time in the steps that was communication, 0 to 1, without waiting (``TimeSplit``).
  public var communicationFraction: Double
  /// The most memory that a rank has held, in bytes.
  public var peakResidentBytes: Int
  /// The bytes of the optimizer's moments, on the rank with the most.
  public var momentBytes: Int
  /// The energy that the hosts' processors used while the run went on, with all else that ran on them; nil if a host's kernel does not tell.
  public var joules: Double?
  /// The digest of the weights, which a run goes on with.
  public var weightsDigest: String
  /// The digest of their averages, which evaluations measure; nil if the run keeps none (``Recipe/ema``).
  public var averagedWeightsDigest: String?
  /// The last mean loss on the validation data; nil without any (``Recipe/validation``).
  public var validationLoss: Double?
  /// The last accuracy on the validation data, 0 to 1; nil without any, and where the loss has none.
  public var validationAccuracy: Double?
  /// Whether the run ended before its last epoch; nil if it could not (``RunOptions/earlyStopping``).
  public var isStoppedEarly: Bool?
  /// The epoch, from 1, with the smallest loss on the validation data; nil if the run does not look for it.
  public var bestEpoch: Int?
  /// The step at the end of that epoch.
  public var bestStep: Int?
  /// The loss on the validation data after that epoch.
  public var bestValidationLoss: Double?
  /// The privacy that the weights have cost; nil of a run that is not private (``Recipe/privacy``).
  public var privacy: PrivacySpent?
  /// The clients of a federated run; nil of any other.
  public var federation: FederationSummary?

  enum CodingKeys: String, CodingKey {
    case model, parameters, ranks, microbatch, epochs, steps, seed, reduction
    case globalBatch = "global_batch"
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case testMetrics = "test_metrics"
    case testErrors = "test_errors"
    case trainSamplesPerSecond = "train_samples_per_second"
    case secondsTotal = "seconds_total"
    case secondsToFirstStep = "seconds_to_first_step"
    case communicationFraction = "communication_fraction"
    case peakResidentBytes = "peak_resident_bytes"
    case momentBytes = "moment_bytes"
    case joules, privacy, federation
    case weightsDigest = "weights_digest"
    case averagedWeightsDigest = "averaged_weights_digest"
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case isStoppedEarly = "stopped_early"
    case bestEpoch = "best_epoch"
    case bestStep = "best_step"
    case bestValidationLoss = "best_validation_loss"
  }

  package init(
    model: String, parameters: Int, ranks: Int, globalBatch: Int, microbatch: Int, epochs: Int, steps: Int,
    seed: UInt64, reduction: String, testAccuracy: Double? = nil, testLoss: Double,
    testMetrics: ClassificationReport? = nil, testErrors: RegressionReport? = nil, testScores: [Score] = [],
    trainSamplesPerSecond: Double, secondsTotal: Double, secondsToFirstStep: Double, communicationFraction: Double,
    peakResidentBytes: Int, momentBytes: Int, joules: Double? = nil, weightsDigest: String,
    averagedWeightsDigest: String? = nil, validationLoss: Double? = nil, validationAccuracy: Double? = nil,
    isStoppedEarly: Bool? = nil, bestEpoch: Int? = nil, bestStep: Int? = nil, bestValidationLoss: Double? = nil,
    privacy: PrivacySpent? = nil, federation: FederationSummary? = nil
  ) {
    self.model = model
    self.parameters = parameters
    self.ranks = ranks
    self.globalBatch = globalBatch
    self.microbatch = microbatch
    self.epochs = epochs
    self.steps = steps
    self.seed = seed
    self.reduction = reduction
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.testMetrics = testMetrics
    self.testErrors = testErrors
    self.testScores = testScores
    self.trainSamplesPerSecond = trainSamplesPerSecond
    self.secondsTotal = secondsTotal
    self.secondsToFirstStep = secondsToFirstStep
    self.communicationFraction = communicationFraction
    self.peakResidentBytes = peakResidentBytes
    self.momentBytes = momentBytes
    self.joules = joules
    self.weightsDigest = weightsDigest
    self.averagedWeightsDigest = averagedWeightsDigest
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.isStoppedEarly = isStoppedEarly
    self.bestEpoch = bestEpoch
    self.bestStep = bestStep
    self.bestValidationLoss = bestValidationLoss
    self.privacy = privacy
    self.federation = federation
  }
}
