/// A line of a run's `metrics.jsonl`.
public struct RecordedEpoch: Sendable, Decodable {
  public var epoch: Int
  public var step: Int
  public var trainLoss: Double?
  public var trainAccuracy: Double?
  public var testLoss: Double?
  public var testAccuracy: Double?
  public var validationLoss: Double?
  public var validationAccuracy: Double?
  public var samplesPerSecond: Double?
  /// The epoch's seconds of training.
  public var seconds: Double?
  public var evaluationSeconds: Double?
  public var computeSeconds: Double?
  public var communicationSeconds: Double?
  public var waitingSeconds: Double?
  public var slowestRank: Int?
  public var skippedSteps: Int?
  public var learningRate: Double?
  public var gradientNorm: Double?

  enum CodingKeys: String, CodingKey {
    case epoch, step, seconds
    case trainLoss = "train_loss"
    case trainAccuracy = "train_accuracy"
    case testLoss = "test_loss"
    case testAccuracy = "test_accuracy"
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case samplesPerSecond = "samples_per_second"
    case evaluationSeconds = "evaluation_seconds"
    case computeSeconds = "compute_seconds"
    case communicationSeconds = "communication_seconds"
    case waitingSeconds = "waiting_seconds"
    case slowestRank = "slowest_rank"
    case skippedSteps = "skipped_steps"
    case learningRate = "learning_rate"
    case gradientNorm = "gradient_norm"
  }
}
