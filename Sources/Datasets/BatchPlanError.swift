import Tensors

/// A batch size or a number of ranks for which there is no plan: a mistake in the arguments, exit code 64.
public enum BatchPlanError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The data set is empty.
  case noSamples
  /// The global batch is below 1.
  case globalBatch(Int)
  /// The microbatch is below 1 or above the global batch.
  case microbatch(Int, globalBatch: Int)
  /// There are more ranks than a full batch has microbatches.
  case tooManyRanks(Int, plan: BatchPlan)

  /// One line: what is wrong, and which setting to change.
  public var description: String {
    switch self {
    case .noSamples:
      "there are no samples to train on"
    case .globalBatch(let size):
      "\(Setting.globalBatch) \(size) is not a batch: give 1 or more"
    case .microbatch(let size, let globalBatch):
      "\(Setting.microbatch) \(size) does not fit a global batch of \(globalBatch): give 1 to \(globalBatch)"
    case .tooManyRanks(let ranks, let plan):
      "\(ranks) ranks are too many for the \(plan.microbatchesInFullBatch) microbatches of \(plan.microbatch) samples "
        + "in a global batch of \(plan.globalBatch): \(Self.remedies(ranks, plan))"
    }
  }

  /// Names only values that work: `ranks` microbatches need a global batch above `(ranks − 1) · microbatch`.
  private static func remedies(_ ranks: Int, _ plan: BatchPlan) -> String {
    let (enlarged, isTooLarge) = plan.microbatch.multipliedReportingOverflow(by: ranks)
    let microbatch = (plan.globalBatch - 1) / (ranks - 1)
    let remedies = [
      microbatch >= 1 ? "give \(Setting.microbatch) \(microbatch) or less" : nil,
      isTooLarge ? nil : "give \(Setting.globalBatch) \(enlarged) \(Setting.microbatch) \(plan.microbatch)",
      "start \(plan.microbatchesInFullBatch) ranks or fewer",
    ]
    return remedies.compactMap(\.self).joined(separator: ", or ")
  }
}
