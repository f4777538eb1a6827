import Tensors

/// Where a run keeps its files, where it starts, and where it stops.
public struct RunOptions: Sendable {
  /// Where the run's files go; nil for none at all.
  public var directory: String?
  /// Whether ``directory`` must be new: where the name is taken, the directory gets a number behind it.
  public var makesNewDirectory = false
  /// When checkpoints are written.
  public var checkpointEvery = CheckpointInterval.epochs(1)
  /// How many checkpoints stay.
  public var keep = 3
  /// What the run starts from.
  public var resume = Resume.auto
  /// Whether a damaged checkpoint in the run directory is an error, instead of a reason to fall back to an older one.
  public var strict = false
  /// What becomes of the run when a checkpoint or a record of it cannot be written.
  public var onCheckpointFailure = SaveFailure.stop
  /// Ends the run after this many steps, counted over all its parts.
  public var maxSteps: Int?
  /// Stops the run after a checkpoint once this has passed since the start of rank 0's process; nil for never.
  public var maxTime: TimeSpan?
  /// Where the run is asked to stop or to save; each rank may have its own. Signals ask that of the process.
  public var control = RunControl.ofProcess
  /// What is measured on the test data after every epoch, beside the loss and what a ``ClassificationReport`` says.
  public var metrics: [any Metric] = []
  /// What checkpoints call the program that wrote them.
  public var program = lockstepVersion

  /// No directory and no limits.
  public init() {}

  /// What is wrong with it, in a line; nil where nothing is.
  public var fault: String? {
    if keep < 1 { return "\(Setting.keep) \(keep) is less than 1: a run needs a checkpoint to go on from" }
    guard let maxSteps, maxSteps < 1 else { return nil }
    return "\(Setting.maxSteps) \(maxSteps) is less than 1"
  }

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
