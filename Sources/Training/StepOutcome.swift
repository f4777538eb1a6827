import NeuralNetworks

/// How a step went, on every rank the same.
public struct StepOutcome: Sendable {
  /// The batch's loss and hits.
  public let losses: LossSums
  /// Whether loss and gradient were finite, and the step taken.
  public let isFinite: Bool
  /// What any rank asked for.
  public let requests: RunRequests
}
