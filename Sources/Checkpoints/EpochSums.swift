/// The sums over the part of an epoch that has been trained on. A checkpoint holds them, so that a run that resumes
/// inside an epoch reports the figures of the whole epoch.
public struct EpochSums: Hashable, Sendable, Codable {
  /// The sum of the samples' losses, in nats.
  public var loss: Double
  /// The number of samples classified correctly.
  public var correct: Int
  /// The number of samples in the steps that were taken.
  public var samples: Int
  /// The number of steps that were not taken, because their loss or gradient was not finite.
  public var skippedSteps: Int

  /// Sums; by default zero.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0, skippedSteps: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
    self.skippedSteps = skippedSteps
  }
}
