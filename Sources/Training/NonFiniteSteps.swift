import Collectives
import Tensors

/// Deals with steps whose loss or gradient is not finite: skips and counts them, or ends the run.
struct NonFiniteSteps {
  private var inARow = 0
  private let execution: Execution
  private let communicator: any Communicator
  private let audience: Audience

  init(_ execution: Execution, communicator: any Communicator, audience: Audience) {
    self.execution = execution
    self.communicator = communicator
    self.audience = audience
  }

  /// Notes that the run has taken a step.
  mutating func tookStep() { inARow = 0 }

  /// Skips the step numbered `step`, or throws with 70 on all ranks. Collective.
  ///
  /// - Parameter microbatch: the first of this rank's microbatches whose loss was not finite; nil if there is none.
  mutating func skip(step: Int, microbatch: Int?) throws {
    inARow += 1
    let what = "step \(step): \(try cause(microbatch))"
    switch execution.onNonFinite {
    case .stop:
      throw TrainingError.agreed(
        .rankFailed,
        "\(what); the step was not taken, and checkpoints are from before it: lower \(Setting.learningRate), set \(Setting.clipNorm), or give "
          + "\(Setting.onNonFinite) skip")
    case .skip where inARow > execution.nonFiniteLimit:
      throw TrainingError.agreed(
        .rankFailed,
        "\(what), as in the \(inARow - 1) steps before it, and \(Setting.nonFiniteLimit) is \(execution.nonFiniteLimit): lower "
          + "\(Setting.learningRate) or set \(Setting.clipNorm)")
    case .skip: audience.warn("\(what); the step was skipped, \(inARow) in a row")
    }
  }

  /// A line that says what was not finite, and where it first arose. Collective.
  private func cause(_ microbatch: Int?) throws -> String {
    let mine = microbatch.map { [UInt64($0)] } ?? []
    let microbatches = try communicator.gather(words: mine)
    let hosts = try communicator.gatherText(ProcessFacts.hostName)
    // Ranks hold microbatches in their order.
    guard let rank = microbatches.firstIndex(where: { !$0.isEmpty }) else { return "the gradient is not finite" }
    return "the loss is not finite, first in microbatch \(microbatches[rank][0]) on rank \(rank) on \(hosts[rank])"
  }
}
