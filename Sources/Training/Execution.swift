import Collectives
import Tensors

/// How a recipe is carried out: how fast, and how closely watched.
public struct Execution: Sendable {
  /// Whether ranks of one host add gradients in memory that they share. The bits are the same either way.
  public var sharesMemory = true
  /// Whether each rank keeps only a slice of the optimizer's moments and steps that slice for all. The bits are the
  /// same either way.
  public var shardsOptimizer = false
  /// How often ranks compare their weights.
  public var verifyEvery = VerifyInterval.steps(100)
  /// The response to a step whose loss or gradient is not finite.
  public var onNonFinite = NonFiniteResponse.stop
  /// The most steps that are skipped one after another.
  public var nonFiniteLimit = 10

  /// The default execution.
  public init() {}

  /// The fault in these values for gradients that are summed by `reduction`, in one line; nil if there is none.
  public func fault(reduction: ReductionMethod) -> String? {
    if shardsOptimizer && reduction != .lockstep {
      return
        "\(Setting.shardsOptimizer) needs \(Setting.reduction) lockstep: MPI_Allreduce gives no rank a slice of its own"
    }
    return nonFiniteLimit < 0 ? "\(Setting.nonFiniteLimit) \(nonFiniteLimit) is less than 0" : nil
  }

  /// The response to a step whose loss or gradient is not finite: `--on-nonfinite`.
  public enum NonFiniteResponse: String, Sendable, CaseIterable {
    /// The run ends, on all ranks alike.
    case stop
    /// The step is not taken, and the run goes on.
    case skip
  }

  /// The distance between two comparisons of weights: `--verify-every`.
  public enum VerifyInterval: Sendable, Hashable, CustomStringConvertible {
    /// This number of steps.
    case steps(Int)
    /// No comparison at all.
    case never

    /// Reads `100steps` or `never`; nil for anything else or for less than one step.
    public init?(_ text: String) {
      if text == "never" {
        self = .never
      } else if case .steps(let count)? = RunOptions.CheckpointInterval(text) {
        self = .steps(count)
      } else {
        return nil
      }
    }

    /// The text that ``init(_:)`` reads.
    public var description: String {
      switch self {
      case .steps(let count): "\(count)steps"
      case .never: "never"
      }
    }
  }
}
