import Tensors

/// The kinds of work of a step, for a trace.
struct StepSpans {
  let recorder: SpanRecorder
  let step: SpanRecorder.Name
  /// The gradients of this rank's microbatches.
  let gradients: SpanRecorder.Name
  let reduction: SpanRecorder.Name
  let optimizer: SpanRecorder.Name

  init(_ recorder: SpanRecorder) {
    self.recorder = recorder
    step = recorder.name("step")
    gradients = recorder.name("gradients")
    reduction = recorder.name("reduction")
    optimizer = recorder.name("optimizer")
  }
}
