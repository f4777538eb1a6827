/// Sums over samples, never means of means.
public struct LossSums: Sendable, Equatable {
  /// The losses' sum: in nats of cross-entropies, else in the loss' own unit.
  public var loss: Double
  /// The samples classified rightly; 0 where there are no classes.
  public var correct: Int
  /// The samples.
  public var samples: Int

  /// Sums, by default of nothing.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
  }

  /// The loss a sample; not a number where there are none.
  public var meanLoss: Double { loss / Double(samples) }
  /// The part that is classified rightly; not a number where there are no samples.
  public var accuracy: Double { Double(correct) / Double(samples) }
}
