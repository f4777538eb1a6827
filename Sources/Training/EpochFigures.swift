import FoundationEssentials

/// The figures of an epoch, as `metrics.jsonl` holds them: a figure that was not measured is nil, and its key left out.
public struct EpochFigures: Sendable, Codable {
  /// The epoch, from 1.
  public let epoch: Int
  /// The epoch's last step, counted over the whole run from 1.
  public let step: Int
  /// The samples that ``trainLoss`` and ``trainAccuracy`` are the means over.
  public let trainSamples: Int
  /// The mean training loss, with the weights as they changed over the epoch.
  public let trainLoss: Double?
  /// The training accuracy, 0 to 1, likewise.
  public let trainAccuracy: Double?
  /// That of the epoch's last step; nil in files from before there was this figure.
  public let learningRate: Float?
  /// The mean loss on the test data, with the weights at the epoch's end.
  public let testLoss: Double?
  /// The accuracy on the test data, 0 to 1, likewise.
  public let testAccuracy: Double?
  /// The mean loss on the validation data, with the weights at the epoch's end.
  public let validationLoss: Double?
  /// The accuracy on the validation data, 0 to 1, likewise.
  public let validationAccuracy: Double?
  /// The samples of all ranks that were trained on in a second.
  public let samplesPerSecond: Double
  /// The seconds of the training since the epoch, or its resumed part, began.
  public let seconds: Double
  /// The seconds that the evaluation took.
  public let evaluationSeconds: Double
  /// The mean over ranks of the seconds of their own work.
  public let computeSeconds: Double
  /// The seconds a rank that the reductions took without waiting.
  public let communicationSeconds: Double
  /// The mean over ranks of the seconds of waiting for others.
  public let waitingSeconds: Double
  /// The rank with the most work of its own.
  public let slowestRank: Int
  /// The steps that were not taken because their loss or gradient was not finite.
  public let skippedSteps: Int
  /// The norm of the mean gradient (``EpochReport/gradientNorm``).
  public let gradientNorm: Double?
  /// The gradient noise scale in samples (``EpochReport/gradientNoiseScale``).
  public let gradientNoiseScale: Double?
  /// The ε that the weights have cost so far; nil of a run that is not private.
  public let epsilon: Double?
  /// The clients whose updates made a federated round; nil of other runs, as the next three.
  public let clients: Int?
  /// The clients of the round that dropped out.
  public let dropped: Int?
  /// The clients that did a part of their work.
  public let stragglers: Int?
  /// The norm that the updates were clipped to; nil also if they were not.
  public let updateClip: Float?
  /// The mean over clients of the accuracy on their own data, 0 to 1; nil if it was not measured, as the next three.
  public let clientAccuracy: Double?
  /// Its standard deviation.
  public let clientDeviation: Double?
  /// Its mean over the worst tenth of the clients.
  public let worstTenth: Double?
  /// Its mean over the best tenth.
  public let bestTenth: Double?

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
    case clients, dropped, stragglers
    case updateClip = "update_clip"
    case clientAccuracy = "client_accuracy"
    case clientDeviation = "client_accuracy_deviation"
    case worstTenth = "client_accuracy_worst_tenth"
    case bestTenth = "client_accuracy_best_tenth"
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
    (clients, dropped, stragglers) = (report.round?.clients, report.round?.dropped, report.round?.stragglers)
    updateClip = report.round?.clipNorm
    let spread = report.round?.accuracy
    (clientAccuracy, clientDeviation) = (spread?.mean, spread?.standardDeviation)
    (worstTenth, bestTenth) = (spread?.worstTenth, spread?.bestTenth)
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
    case .clients: clients.map(Double.init)
    case .dropped: dropped.map(Double.init)
    case .stragglers: stragglers.map(Double.init)
    case .clientAccuracy: clientAccuracy
    case .clientDeviation: clientDeviation
    case .worstTenth: worstTenth
    case .bestTenth: bestTenth
    case .updateClip: updateClip.flatMap { Double("\($0)") }
    }
  }
}
