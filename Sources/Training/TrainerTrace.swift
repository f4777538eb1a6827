import Tensors

/// The trace of some of a run's steps.
extension Trainer {
  /// The kinds of work beside those of a step. Every rank must know all names, whatever it does first.
  static let tracedWork = ["evaluation", "checkpoint"]

  /// Tells observers of the trace once its steps are over, or the run is, at the end of an epoch. Collective.
  func traceIfDue() throws {
    guard let spans, let steps = options.trace, !hasTraced, state.step >= steps.upperBound || isOver else { return }
    hasTraced = true
    spans.isOn = false
    let trace = try communicating { try RunTrace(spans, on: communicator) }
    try audience.tell { try $0.traced(trace) }
  }
}
