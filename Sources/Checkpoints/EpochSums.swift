/// The sums over the part of an epoch that has been trained on: kept in a checkpoint, so that a run that goes on inside an epoch
/// reports figures of the whole of it.
public struct EpochSums: Hashable, Sendable, Codable {
  /// The losses' sum, in nats.
  public var loss: Double
  /// The samples classified rightly.
  public var correct: Int
  /// The samples whose steps were taken.
  public var samples: Int
  /// The steps that were not taken, for their loss or gradient was not finite.
  public var skippedSteps: Int

  /// Sums, by default of nothing.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0, skippedSteps: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
    self.skippedSteps = skippedSteps
  }
}
