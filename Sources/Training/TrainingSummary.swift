/// A finished run, as `summary.json` holds it.
public struct TrainingSummary: Sendable, Codable {
  public var model: String
  public var parameters: Int
  public var ranks: Int
  public var globalBatch: Int
  public var microbatch: Int
  public var epochs: Int
  public var steps: Int
  public var seed: UInt64
  public var reduction: String
  /// nil where the loss has none (``Loss/countsCorrect``).
  public var testAccuracy: Double?
  public var testLoss: Double
  /// What the last evaluation found of the classes; nil where the loss is over none.
  public var testMetrics: ClassificationReport?
  /// The errors of predicted numbers in the last evaluation; nil unless the loss is the mean squared error.
  public var testErrors: RegressionReport?
  /// The last scores of the metrics that the run was given; not in the file.
  public var testScores: [Score] = []
  public var trainSamplesPerSecond: Double
  public var secondsTotal: Double
  public var secondsToFirstStep: Double
  public var communicationFraction: Double
  public var peakResidentBytes: Int
  /// Of what the optimizer keeps of the parameters, on the rank with the most.
  public var momentBytes: Int
  /// The energy that the hosts' processors used while the run went on, with all else that ran on them; nil if a host's kernel does not tell.
  public var joules: Double?
  /// The digest of the weights, which a run goes on with.
  public var weightsDigest: String
  /// The digest of their averages, which evaluations measure; nil if the run keeps none (``Recipe/ema``).
  public var averagedWeightsDigest: String?
  /// The last loss and accuracy on the validation data; nil without any (``Recipe/validation``).
  public var validationLoss: Double?
  public var validationAccuracy: Double?
  /// Whether the run ended before its last epoch; nil if it could not (``RunOptions/earlyStopping``).
  public var isStoppedEarly: Bool?
  /// The epoch, from 1, with the smallest loss on the validation data, the step at its end, and that loss.
  public var bestEpoch: Int?
  public var bestStep: Int?
  public var bestValidationLoss: Double?
  /// The privacy that the weights have cost; nil of a run that is not private (``Recipe/privacy``).
  public var privacy: PrivacySpent?

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
    case joules, privacy
    case weightsDigest = "weights_digest"
    case averagedWeightsDigest = "averaged_weights_digest"
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case isStoppedEarly = "stopped_early"
    case bestEpoch = "best_epoch"
    case bestStep = "best_step"
    case bestValidationLoss = "best_validation_loss"
  }
}
