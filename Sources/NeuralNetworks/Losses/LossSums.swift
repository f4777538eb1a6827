/// Sums over samples, never means of means.
public struct LossSums: Sendable, Equatable {
  /// The sum of the losses: in nats for cross-entropies, else in the loss's own unit.
  public var loss: Double
  /// The number of samples classified rightly; 0 without classes.
  public var correct: Int
  /// The number of samples.
  public var samples: Int

  /// Sums, by default zero.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
  }

  /// Adds the sums over other samples.
  public static func += (left: inout LossSums, right: LossSums) {
    left.loss += right.loss
    left.correct += right.correct
    left.samples += right.samples
  }

  /// The mean loss of a sample; NaN without samples.
  public var meanLoss: Double { loss / Double(samples) }
  /// The part of the samples that is classified rightly, 0 to 1; NaN without samples.
  public var accuracy: Double { Double(correct) / Double(samples) }
}
