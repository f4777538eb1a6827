/// What is told of a run while it goes on, on rank 0: the only way from training to reports.
///
/// Every method has an empty default. They are called between steps, and the run waits for them: be brief. One that throws ends
/// the run: for files that the user asked for and cannot have.
public protocol Observer: AnyObject {
  /// Before the first step.
  func began(_ run: RunDescription) throws(TrainingError)
  /// After each step.
  func stepped(_ progress: EpochProgress) throws(TrainingError)
  /// After each epoch's evaluation.
  func endedEpoch(_ report: EpochReport) throws(TrainingError)
  /// Once a checkpoint is durably on disk.
  func saved(checkpoint path: String, step: Int) throws(TrainingError)
  /// Something worth a line that is no error.
  func warned(_ line: String)
  /// After the last evaluation and checkpoint.
  func ended(_ summary: TrainingSummary) throws(TrainingError)
}

extension Observer {
  public func began(_ run: RunDescription) throws(TrainingError) {}
  public func stepped(_ progress: EpochProgress) throws(TrainingError) {}
  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {}
  public func saved(checkpoint path: String, step: Int) throws(TrainingError) {}
  public func warned(_ line: String) {}
  public func ended(_ summary: TrainingSummary) throws(TrainingError) {}
}

/// What a run is, as it begins.
public struct RunDescription: Sendable {
  /// What was asked for.
  public let recipe: Recipe
  public let execution: Execution
  public let options: RunOptions
  /// The learnt values.
  public let parameters: Int
  /// The ranks, and the hosts they are on.
  public let ranks: Int
  public let hosts: Int
  /// The microbatch, asked for or by default.
  public let microbatch: Int
  /// Samples in an epoch, and steps.
  public let samples: Int
  public let stepsPerEpoch: Int
  /// The step that the run goes on from: 0 from scratch.
  public let resumedAtStep: Int
  /// The epochs that were trained to their end before this process.
  public let epochsDone: Int
  /// Whether no step is left to take: the run had come to its end before.
  public let isComplete: Bool
}

/// Where an epoch stands after a step.
public struct EpochProgress: Sendable {
  /// The epoch, from 1, and how many there will be.
  public let epoch: Int
  public let epochs: Int
  /// The step over the whole run, from 1.
  public let step: Int
  /// Samples of this epoch that have been trained on, and how many there are.
  public let samplesDone: Int
  public let samplesInEpoch: Int
  /// Samples that ``loss`` and ``accuracy`` are the means over: those of the epoch whose steps were taken, and, where the checkpoint that
  /// the run goes on from has no sums, only those since.
  public let samplesCounted: Int
  /// Samples that this process has trained on since the epoch, or its resumed part, began, and the seconds that took.
  public let samplesTimed: Int
  public let seconds: Double
  /// The means over ``samplesCounted`` samples; not a number where there are none.
  public let loss: Double
  public let accuracy: Double

  /// The rate since the epoch began.
  public var samplesPerSecond: Double { seconds > 0 ? Double(samplesTimed) / seconds : 0 }
}

/// How an epoch went.
public struct EpochReport: Sendable {
  /// Where it ended: the training loss and accuracy are the means over the epoch, with the weights as they changed.
  public let training: EpochProgress
  /// The means over the test data with the weights at the end.
  public let testLoss: Double
  public let testAccuracy: Double
  /// The scores of the metrics that the run was given (``RunOptions/metrics``).
  public let testScores: [Score]
  /// The seconds that the evaluation took.
  public let evaluationSeconds: Double
  /// Where the training's time went.
  public let time: TimeSplit
  /// The steps of the epoch that were not taken, for their loss or gradient was not finite.
  public let skippedSteps: Int
}

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
  public var testAccuracy: Double
  public var testLoss: Double
  /// What the last evaluation found of the classes; nil where the loss is over none.
  public var testMetrics: ClassificationReport?
  /// The last scores of the metrics that the run was given; not in the file.
  public var testScores: [Score] = []
  public var trainSamplesPerSecond: Double
  public var secondsTotal: Double
  public var secondsToFirstStep: Double
  public var communicationFraction: Double
  public var peakResidentBytes: Int
  /// Of what the optimizer keeps of the parameters, on the rank with the most.
  public var momentBytes: Int
  public var weightsDigest: String

  enum CodingKeys: String, CodingKey {
    case model, parameters, ranks, microbatch, epochs, steps, seed, reduction
    case globalBatch = "global_batch"
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case testMetrics = "test_metrics"
    case trainSamplesPerSecond = "train_samples_per_second"
    case secondsTotal = "seconds_total"
    case secondsToFirstStep = "seconds_to_first_step"
    case communicationFraction = "communication_fraction"
    case peakResidentBytes = "peak_resident_bytes"
    case momentBytes = "moment_bytes"
    case weightsDigest = "weights_digest"
  }
}
