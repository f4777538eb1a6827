import Steps
import Tensors

/// Where a run keeps its files, where it starts, and where it stops.
public struct RunOptions: Sendable {
  /// The directory for the run's files; nil for no files.
  public var directory: String?
  /// Whether ``directory`` must be new. If the name is taken, the directory gets a number behind it.
  public var makesNewDirectory = false
  /// The distance between checkpoints.
  public var checkpointEvery = CheckpointInterval.epochs(1)
  /// The number of checkpoints that stay, at least 1.
  public var keep = 3
  /// The start of the run: a checkpoint, or from scratch.
  public var resume = Resume.auto
  /// Whether a damaged checkpoint in the run directory is an error. If not, the run falls back to an older one.
  public var strict = false
  /// The response to a checkpoint or a record that cannot be written.
  public var onCheckpointFailure = SaveFailure.stop
  /// The step, counted over all parts of the run, after which it ends; nil for its last.
  public var maxSteps: Int?
  /// The time since the start of rank 0's process after which the run saves and stops; nil for no limit.
  public var maxTime: TimeSpan?
  /// The number of epochs without a smaller loss on the validation data after which the run ends; nil for all its
  /// epochs. The checkpoint of the best epoch stays.
  public var earlyStopping: Int?
  /// Whether the checkpoint of the epoch with the smallest loss on the validation data stays beside the newest ones. With
  /// ``earlyStopping`` it does so anyway.
  public var savesBest = false
  /// The control by which the run is asked to stop or to save; each rank may have its own. Signals ask that of the
  /// process.
  public var control = RunControl.ofProcess
  /// The metrics on the test data after every epoch, beside the loss and those of a ``ClassificationReport``.
  public var metrics: [any Metric] = []
  /// The metrics on the test data in one more evaluation, at the end of the run alone (``FinishedRun/counters``).
  public var finalMetrics: [any Metric] = []
  /// The steps whose work is recorded and shown to observers (``Observer/traced(_:)``), from 1; nil for none.
  public var trace: ClosedRange<Int>?
  /// The program's version in checkpoints.
  public var program = lockstepVersion

  /// The range test that the run is, in the place of training (``LearningRateSearch``); nil for training.
  var search: LearningRateSearch?

  /// Options without a directory and without limits.
  public init() {}

  /// Whether the run looks for its best epoch.
  var looksForBest: Bool { savesBest || earlyStopping != nil }

  /// The fault in these values for a run that sets the part `validation` of its data aside, or none, in one line; nil if
  /// there is none.
  public func fault(validation: Float?) -> String? {
    if let fault { return fault }
    guard looksForBest, validation == nil else { return nil }
    let (setting, use) =
      earlyStopping == nil ? (Setting.savesBest, "choose a checkpoint") : (.earlyStopping, "decide the run's end")
    return "\(setting) needs \(Setting.validation), such as 0.1: test data that \(use) no longer test it"
  }

  /// What private training does not go with, since it would look at the samples beside the account; nil if there is none of it.
  var faultOfPrivacy: String? {
    let setting: Setting? =
      search != nil ? .searchSteps : earlyStopping != nil ? .earlyStopping : savesBest ? .savesBest : nil
    return setting.map { "\($0) uses samples that the account of private training does not know of; leave it out" }
  }

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    if keep < 1 { return "\(Setting.keep) \(keep) is less than 1: a run needs a checkpoint to go on from" }
    if let earlyStopping, earlyStopping < 1 { return "\(Setting.earlyStopping) \(earlyStopping) is less than 1" }
    if let trace, trace.lowerBound < 1 { return "\(Setting.trace) \(trace.lowerBound): steps are counted from 1" }
    guard let maxSteps, maxSteps < 1 else { return nil }
    return "\(Setting.maxSteps) \(maxSteps) is less than 1"
  }

  /// The start of a run: `--resume`.
  public enum Resume: Sendable, Hashable, CustomStringConvertible {
    /// From the newest whole checkpoint of the run directory, or from scratch if there is none.
    case auto
    /// From scratch; a run directory that holds checkpoints is refused.
    case never
    /// From this checkpoint, or from the run directory's newest if that is further.
    case file(String)

    /// The flag's value.
    public var description: String {
      switch self {
      case .auto: "auto"
      case .never: "never"
      case .file(let path): path
      }
    }
  }

  /// The response to a file of the run's that cannot be written: `--on-checkpoint-failure`.
  public enum SaveFailure: String, Sendable, CaseIterable {
    /// The run ends with that error. Checkpoints that were saved before are still there.
    case stop
    /// The run warns and goes on, and tries again when the next is due. If the last checkpoint fails, it ends with the
    /// error.
    case goOn = "continue"
  }

  /// The distance between checkpoints: `--checkpoint-every`.
  public enum CheckpointInterval: Sendable, Hashable, CustomStringConvertible {
    /// This number of epochs.
    case epochs(Int)
    /// This number of steps.
    case steps(Int)
    /// This number of minutes, and up to the end of the step.
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

    /// The text that ``init(_:)`` reads.
    public var description: String {
      switch self {
      case .epochs(let count): "\(count)epoch"
      case .steps(let count): "\(count)steps"
      case .minutes(let count): "\(count)min"
      }
    }
  }
}
