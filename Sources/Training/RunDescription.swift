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
  /// The clients of a federated run, whose rounds take the place of epochs; nil of any other.
  public let federation: FederationDescription?

  /// The number of hosts that the ranks are on.
  public var hosts: Int { Set(hostNames).count }

  /// The learning rate of `step`, counted from 1 over the whole run.
  public func learningRate(step: Int) -> Float {
    if let federation { return federation.learningRate(round: step, of: recipe.learningRate) }
    let schedule = Schedule(recipe.schedule, warmup: recipe.warmup, steps: recipe.steps(perEpoch: stepsPerEpoch))
    return Float(schedule.factor(step: step) * Double(recipe.scaledLearningRate))
  }

  package init(
    recipe: Recipe, execution: Execution, options: RunOptions, parameters: Int, ranks: Int, hostNames: [String],
    microbatch: Int, samples: Int, stepsPerEpoch: Int, resumedAtStep: Int, epochsDone: Int, isComplete: Bool,
    initialWeights: InitialWeights?, federation: FederationDescription? = nil
  ) {
    self.recipe = recipe
    self.execution = execution
    self.options = options
    self.parameters = parameters
    self.ranks = ranks
    self.hostNames = hostNames
    self.microbatch = microbatch
    self.samples = samples
    self.stepsPerEpoch = stepsPerEpoch
    self.resumedAtStep = resumedAtStep
    self.epochsDone = epochsDone
    self.isComplete = isComplete
    self.initialWeights = initialWeights
    self.federation = federation
  }
}
