import Collectives
import Optimizers

/// What a run is asked to do: the flags of `lockstep train`.
public struct TrainingConfiguration: Sendable {
  /// The model's name, as ``Model/named(_:input:outputs:)`` takes it.
  public var model = "article"
  /// What it is trained to tell apart.
  public var task = Task.classify
  /// Passes over the training data.
  public var epochs = 5
  /// Samples in a step, over all ranks.
  public var globalBatch = 32
  /// Samples in a microbatch; nil for the default of the global batch.
  public var microbatch: Int?
  /// What turns gradients into steps, with its constants.
  public var optimizer: any OptimizerSpecification = Adam()
  /// The optimizer's α.
  public var learningRate: Float {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }
  /// How the step size changes after the warm-up, and the steps of that.
  public var schedule = Schedule.Shape.constant
  public var warmup = 0
  /// What the first weights and every epoch's order follow from.
  public var seed: UInt64 = 0
  /// How gradients become one sum.
  public var reduction = ReductionMethod.lockstep
  /// Whether ranks of one host add gradients in memory that they share; the same bits either way.
  public var sharesMemory = true
  /// Whether each rank keeps the optimizer's moments of a slice alone and steps that for all; the same bits either way.
  public var shardsOptimizer = false
  /// Ends the run after this many steps, counted over all its parts.
  public var maxSteps: Int?
  /// Where the run's files go; nil for none at all.
  public var runDirectory: String?
  /// Whether ``runDirectory`` must be new: where the name is taken, the directory gets a number behind it.
  public var makesNewRunDirectory = false
  /// When checkpoints are written.
  public var checkpointEvery = CheckpointInterval.epochs(1)
  /// How many checkpoints stay.
  public var keep = 3
  /// What a run starts from.
  public var resume = Resume.auto
  /// Whether a damaged checkpoint in the run directory is an error, instead of a reason to fall back to an older one.
  public var strict = false
  /// What becomes of the run when a checkpoint or a record of it cannot be written.
  public var onCheckpointFailure = SaveFailure.stop
  /// Stops the run after a checkpoint once this has passed since the start of rank 0's process; nil for never.
  public var maxTime: TimeSpan?
  /// What happens to a step whose loss or gradient is not finite.
  public var onNonFinite = NonFiniteResponse.stop
  /// The most steps that are skipped one after another.
  public var nonFiniteLimit = 10
  /// The norm that a mean gradient with a larger one is scaled down to; nil for none.
  public var clipNorm: Float?
  /// How often ranks compare their weights.
  public var verifyEvery = VerifyInterval.steps(100)

  /// The article's recipe, in no run directory.
  public init() {}

  /// What a run starts from: `--resume`.
  public enum Resume: Sendable, Hashable, CustomStringConvertible {
    /// The newest whole checkpoint of the run directory, or from scratch where there is none.
    case auto
    /// From scratch; a run directory that holds checkpoints is refused.
    case never
    /// This checkpoint.
    case file(String)

    /// As the flag is written.
    public var description: String {
      switch self {
      case .auto: "auto"
      case .never: "never"
      case .file(let path): path
      }
    }
  }

  /// What becomes of the run when a file of its cannot be written: `--on-checkpoint-failure`.
  public enum SaveFailure: String, Sendable, CaseIterable {
    /// It ends with that error; what was saved before is still there.
    case stop
    /// It warns and goes on, and tries again when the next is due. Only a last checkpoint that fails ends it with the error.
    case goOn = "continue"
  }

  /// What happens to a step whose loss or gradient is not finite: `--on-nonfinite`.
  public enum NonFiniteResponse: String, Sendable, CaseIterable {
    /// The run ends, on all ranks alike.
    case stop
    /// The step is not taken, and the run goes on.
    case skip
  }

  /// The distance between two comparisons of weights: `--verify-every`.
  public enum VerifyInterval: Sendable, Hashable, CustomStringConvertible {
    /// After every so many steps.
    case steps(Int)
    /// Not at all.
    case never

    /// Reads `100steps` or `never`; nil for anything else or for less than one step.
    public init?(_ text: String) {
      if text == "never" {
        self = .never
      } else if case .steps(let count)? = CheckpointInterval(text) {
        self = .steps(count)
      } else {
        return nil
      }
    }

    /// As ``init(_:)`` reads it.
    public var description: String {
      switch self {
      case .steps(let count): "\(count)steps"
      case .never: "never"
      }
    }
  }

  /// The distance between checkpoints: `--checkpoint-every`.
  public enum CheckpointInterval: Sendable, Hashable, CustomStringConvertible {
    /// After every so many epochs.
    case epochs(Int)
    /// After every so many steps.
    case steps(Int)
    /// After the first step that ends so much later than the last checkpoint.
    case minutes(Double)

    /// Reads `1epoch`, `500steps` or `10min`; nil for anything else or for less than one step.
    public init?(_ text: String) {
      let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      switch text.dropFirst(number.count) {
      case "epoch", "epochs":
        guard let count = Int(number), count >= 1 else { return nil }
        self = .epochs(count)
      case "step", "steps":
        guard let count = Int(number), count >= 1 else { return nil }
        self = .steps(count)
      case "min":
        guard let count = Double(number), count > 0 else { return nil }
        self = .minutes(count)
      default: return nil
      }
    }

    /// As ``init(_:)`` reads it.
    public var description: String {
      switch self {
      case .epochs(let count): "\(count)epoch"
      case .steps(let count): "\(count)steps"
      case .minutes(let count): "\(count)min"
      }
    }
  }
}
