import Synchronization

/// A setting of a run, as error lines name it: by its property or, in a program that asks for it, by its flag.
///
///     "give \(Setting.microbatch) 4 or less"     // give microbatch 4 or less, or give --microbatch 4 or less
public enum Setting: String, Sendable, CaseIterable, CustomStringConvertible {
  /// The data that are trained on, or evaluated.
  case data
  /// The shape of the data's samples.
  case input
  /// The network.
  case model
  /// The task that the network is trained for.
  case task
  /// The number of passes over the training data.
  case epochs
  /// The samples of a step, over all ranks.
  case globalBatch
  /// The samples of a microbatch, the unit that ranks share out.
  case microbatch
  /// The steps at the start in which the step size grows.
  case warmup
  /// The largest norm of the mean gradient.
  case clipNorm
  /// The largest norm of a sample's gradient.
  case sampleClipNorm
  /// How gradients become one sum.
  case reduction
  /// The optimizer's learning rate.
  case learningRate
  /// The optimizer's momentum.
  case momentum
  /// Whether the step looks ahead by the momentum.
  case isNesterov
  /// The optimizer's weight decay.
  case weightDecay
  /// Whether ranks of one host add gradients in memory that they share.
  case sharesMemory
  /// Whether each rank keeps only a slice of the optimizer's moments.
  case shardsOptimizer
  /// The response to a step whose loss or gradient is not finite.
  case onNonFinite
  /// The most steps that are skipped one after another.
  case nonFiniteLimit
  /// The directory for the run's files.
  case directory
  /// The number of checkpoints that stay.
  case keep
  /// The start of the run: a checkpoint, or from scratch.
  case resume
  /// The step after which the run ends.
  case maxSteps
  /// The time after which the run saves and stops.
  case maxTime
  /// The steps whose work is recorded.
  case trace
  /// The random changes of the images that are trained on.
  case augmentation
  /// The part of the training data that is set aside.
  case validation
  /// The number of samples of the training data that are used.
  case subset
  /// The labels whose samples are used.
  case labels
  /// The file whose weights the run begins with.
  case initialWeights
  /// The patterns of the names of parameters that stay as they begin.
  case frozen
  /// The part of the weights' averages that stays at each step.
  case ema
  /// The rule by which the learning rate grows with the global batch.
  case rateScaling
  /// The number of epochs without a smaller validation loss after which the run ends.
  case earlyStopping
  /// Whether the checkpoint of the best epoch stays.
  case savesBest
  /// The steps of a search for a learning rate.
  case searchSteps
  /// The most ε that a private run may spend.
  case epsilon
  /// The δ that a private run's ε is told for.
  case delta
  /// The deviation of a private run's noise, in units of the clipping norm.
  case noiseMultiplier
  /// The data that are tested on.
  case testData
  /// The part of a table's rows that is tested on.
  case testFraction
  /// The name of a table's target column.
  case target
  /// The names of a table's columns that are left out.
  case ignored
  /// The treatment of a table's rows with missing values.
  case missing
  /// The weights of the classes in the loss.
  case classWeights
  /// The part of a sample's target that is spread over all classes.
  case labelSmoothing

  /// The number of a federated run's rounds.
  case rounds
  /// The number of its clients.
  case clients
  /// How the samples are spread over them.
  case partition
  /// The part of them that is chosen in a round.
  case clientFraction
  /// The passes of a chosen client over its samples.
  case localEpochs
  /// The samples of a client's step.
  case localBatch
  /// The factor of the clients' learning rate from one round to the next.
  case learningRateDecay
  /// The server's learning rate.
  case serverLearningRate
  /// The probability with which a chosen client does a part of its work.
  case stragglers
  /// The probability with which it drops out.
  case dropouts
  /// The norm that a client's update is clipped to.
  case updateClip
  /// The quantile of the updates' norms that this norm follows.
  case clipQuantile
  /// How fast it follows.
  case clipRate
  /// The noise in the number of updates that are not clipped.
  case countNoise
  /// Whether the updates are added up behind masks.
  case secureAggregation

  private static let haveFlags = Atomic<Bool>(false)

  /// Makes error lines name flags from now on. Called at its start by a program that has these flags.
  public static func nameFlags() { haveFlags.store(true, ordering: .relaxed) }

  /// The program's flag for it: `--global-batch`. For ``sharesMemory`` it is the flag that turns it off.
  public var flag: String {
    switch self {
    case .directory: "--run-dir"
    case .ignored: "--ignore"
    case .isNesterov: "--nesterov"
    case .augmentation: "--augment"
    case .initialWeights: "--init-from"
    case .frozen: "--freeze"
    case .rateScaling: "--scale-learning-rate"
    case .savesBest: "--save-best"
    case .searchSteps: "--steps"
    case .sharesMemory: "--no-shared-memory"
    case .shardsOptimizer: "--optimizer-sharding"
    case .onNonFinite: "--on-nonfinite"
    case .nonFiniteLimit: "--nonfinite-limit"
    default: "--" + rawValue.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }
  }

  /// `globalBatch`, or `--global-batch` after ``nameFlags()``.
  public var description: String { Self.haveFlags.load(ordering: .relaxed) ? flag : rawValue }
}
