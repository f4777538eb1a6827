/// Where an epoch stands after a step.
public struct EpochProgress: Sendable {
  /// The epoch, from 1.
  public let epoch: Int
  /// The number of epochs of the run.
  public let epochs: Int
  /// The step over the whole run, from 1.
  public let step: Int
  /// Samples of this epoch that have been trained on.
  public let samplesDone: Int
  /// Samples that an epoch trains on.
  public let samplesInEpoch: Int
  /// Samples that ``loss`` and ``accuracy`` are the means over: those of the epoch whose steps were taken, and, where the checkpoint that
  /// the run goes on from has no sums, only those since.
  public let samplesCounted: Int
  /// Samples that this process has trained on since the epoch, or its resumed part, began.
  public let samplesTimed: Int
  /// The seconds that these samples took.
  public let seconds: Double
  /// The mean over ``samplesCounted`` samples; not a number where there are none.
  public let loss: Double
  /// Likewise; nil where the loss tells right from wrong in no sample, as a regression's (``Loss/countsCorrect``).
  public let accuracy: Double?

  /// The rate since the epoch began.
  public var samplesPerSecond: Double { seconds > 0 ? Double(samplesTimed) / seconds : 0 }

  package init(
    epoch: Int, epochs: Int, step: Int, samplesDone: Int, samplesInEpoch: Int, samplesCounted: Int, samplesTimed: Int,
    seconds: Double, loss: Double, accuracy: Double?
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.samplesDone = samplesDone
    self.samplesInEpoch = samplesInEpoch
    self.samplesCounted = samplesCounted
    self.samplesTimed = samplesTimed
    self.seconds = seconds
    self.loss = loss
    self.accuracy = accuracy
  }
}
