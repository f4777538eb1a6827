import FoundationEssentials

/// The figures of an epoch, as `metrics.jsonl` holds them: a figure that was not measured is nil, and its key left out.
public struct EpochFigures: Sendable, Codable {
  public let epoch: Int
  public let step: Int
  public let trainSamples: Int
  public let trainLoss: Double?
  public let trainAccuracy: Double?
  /// That of the epoch's last step; nil in files from before there was this figure.
  public let learningRate: Float?
  public let testLoss: Double?
  public let testAccuracy: Double?
  public let validationLoss: Double?
  public let validationAccuracy: Double?
  public let samplesPerSecond: Double
  public let seconds: Double
  public let evaluationSeconds: Double
  public let computeSeconds: Double
  public let communicationSeconds: Double
  public let waitingSeconds: Double
  public let slowestRank: Int
  public let skippedSteps: Int
  public let gradientNorm: Double?
  public let gradientNoiseScale: Double?
  /// The ε that the weights have cost so far; nil of a run that is not private.
  public let epsilon: Double?

  /// The keys, in the order of the columns.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case epoch, step
    case trainSamples = "train_samples"
    case trainLoss = "train_loss"
    case trainAccuracy = "train_accuracy"
    case learningRate = "learning_rate"
    case testLoss = "test_loss"
    case testAccuracy = "test_accuracy"
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case samplesPerSecond = "samples_per_second"
    case seconds
    case evaluationSeconds = "evaluation_seconds"
    case computeSeconds = "compute_seconds"
    case communicationSeconds = "communication_seconds"
    case waitingSeconds = "waiting_seconds"
    case slowestRank = "slowest_rank"
    case skippedSteps = "skipped_steps"
    case gradientNorm = "gradient_norm"
    case gradientNoiseScale = "gradient_noise_scale"
    case epsilon
  }

  /// The figures of `report`, an epoch of `run`.
  public init(_ report: EpochReport, of run: RunDescription) {
    let progress = report.training
    let isTest = report.evaluated == .test
    (epoch, step, trainSamples) = (progress.epoch, progress.step, progress.samplesCounted)
    // A mean over no samples is not a number.
    trainLoss = progress.loss.isNaN ? nil : progress.loss
    trainAccuracy = progress.accuracy.flatMap { $0.isNaN ? nil : $0 }
    learningRate = run.learningRate(step: progress.step)
    (testLoss, testAccuracy) = isTest ? (report.testLoss, report.testAccuracy) : (nil, nil)
    (validationLoss, validationAccuracy) = isTest ? (nil, nil) : (report.testLoss, report.testAccuracy)
    (samplesPerSecond, seconds) = (progress.samplesPerSecond, progress.seconds)
    evaluationSeconds = report.evaluationSeconds
    computeSeconds = report.time.compute
    communicationSeconds = report.time.communication
    waitingSeconds = report.time.waiting
    slowestRank = report.time.slowestRank
    skippedSteps = report.skippedSteps
    (gradientNorm, gradientNoiseScale) = (report.gradientNorm, report.gradientNoiseScale)
    epsilon = report.privacy?.epsilon
  }

  /// The figures in a line of `metrics.jsonl`; nil of a line that no run wrote.
  package init?(line: some Collection<UInt8>) {
    guard let figures = try? RunJSON.decoder.decode(Self.self, from: Data(line)) else { return nil }
    self = figures
  }

  /// The figure under `key`; nil if it was not measured.
  package subscript(key: CodingKeys) -> Double? {
    switch key {
    case .epoch: Double(epoch)
    case .step: Double(step)
    case .trainSamples: Double(trainSamples)
    case .trainLoss: trainLoss
    case .trainAccuracy: trainAccuracy
    // By its text, so that it has the digits of the float and no more.
    case .learningRate: learningRate.flatMap { Double("\($0)") }
    case .testLoss: testLoss
    case .testAccuracy: testAccuracy
    case .validationLoss: validationLoss
    case .validationAccuracy: validationAccuracy
    case .samplesPerSecond: samplesPerSecond
    case .seconds: seconds
    case .evaluationSeconds: evaluationSeconds
    case .computeSeconds: computeSeconds
    case .communicationSeconds: communicationSeconds
    case .waitingSeconds: waitingSeconds
    case .slowestRank: Double(slowestRank)
    case .skippedSteps: Double(skippedSteps)
    case .gradientNorm: gradientNorm
    case .gradientNoiseScale: gradientNoiseScale
    case .epsilon: epsilon
    }
  }
}
