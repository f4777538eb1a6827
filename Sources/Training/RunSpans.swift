import Tensors

/// The kinds of work of a run that are recorded for a trace, beside a network's stages and the waits for other ranks.
struct RunSpans {
  let recorder: SpanRecorder
  let step: SpanRecorder.Name
  /// The gradients of this rank's microbatches.
  let gradients: SpanRecorder.Name
  let reduction: SpanRecorder.Name
  let optimizer: SpanRecorder.Name
  let evaluation: SpanRecorder.Name
  let checkpoint: SpanRecorder.Name

  init(_ recorder: SpanRecorder) {
    self.recorder = recorder
    step = recorder.name("step")
    gradients = recorder.name("gradients")
    reduction = recorder.name("reduction")
    optimizer = recorder.name("optimizer")
    evaluation = recorder.name("evaluation")
    checkpoint = recorder.name("checkpoint")
  }
}
