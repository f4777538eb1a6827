import Optimizers

/// The facts of a run that begins.
public struct RunDescription: Sendable {
  /// The recipe that the run was given.
  public let recipe: Recipe
  /// The execution that it was given.
  public let execution: Execution
  /// The options that it was given.
  public let options: RunOptions
  /// The number of learnt values.
  public let parameters: Int
  /// The number of ranks.
  public let ranks: Int
  /// The name of each rank's host.
  public let hostNames: [String]
  /// The samples of a microbatch, given or by default.
  public let microbatch: Int
  /// The samples of an epoch.
  public let samples: Int
  /// The steps of an epoch.
  public let stepsPerEpoch: Int
  /// The step that the run goes on from; 0 if it starts anew.
  public let resumedAtStep: Int
  /// The number of epochs that were finished before this process.
  public let epochsDone: Int
  /// Whether the run was finished before: no step is left to take.
  public let isComplete: Bool
  /// The weights that the run took over from a file; nil if it took none, or goes on from a checkpoint.
  public let initialWeights: InitialWeights?

  /// The number of hosts that the ranks are on.
  public var hosts: Int { Set(hostNames).count }

  /// The learning rate of `step`, counted from 1 over the whole run.
  public func learningRate(step: Int) -> Float {
    let schedule = Schedule(recipe.schedule, warmup: recipe.warmup, steps: recipe.steps(perEpoch: stepsPerEpoch))
    return Float(schedule.factor(step: step) * Double(recipe.scaledLearningRate))
  }
}
