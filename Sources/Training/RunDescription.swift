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
