import NeuralNetworks

/// The outcome of a step, the same on every rank.
public struct StepOutcome: Sendable {
  /// The batch's loss and hits.
  public let losses: LossSums
  /// Whether loss and gradient were finite, and the step taken.
  public let isFinite: Bool
  /// The requests of all ranks together.
  public let requests: RunRequests
}
