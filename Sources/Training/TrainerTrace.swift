/// The trace of some of a run's steps.
extension Trainer {
  /// Tells observers of the trace once its steps are over, or the run is, at the end of an epoch. Collective.
  func traceIfDue() throws {
    guard let recorder = spans?.recorder, let steps = options.trace, !hasTraced,
      state.step >= steps.upperBound || isOver
    else { return }
    hasTraced = true
    recorder.isOn = false
    let trace = try audience.during(.tracing) { try communicating { try RunTrace(recorder, on: communicator) } }
    try audience.tell { try $0.traced(trace) }
  }
}
