import Tensors

/// The kinds of work of a run that are recorded for a trace, beside a network's stages and the waits for other ranks.
package struct RunSpans {
  package let recorder: SpanRecorder
  package let step: SpanRecorder.Name
  /// The gradients of this rank's microbatches.
  package let gradients: SpanRecorder.Name
  package let reduction: SpanRecorder.Name
  package let optimizer: SpanRecorder.Name
  package let evaluation: SpanRecorder.Name
  package let checkpoint: SpanRecorder.Name

  package init(_ recorder: SpanRecorder) {
    self.recorder = recorder
    step = recorder.name("step")
    gradients = recorder.name("gradients")
    reduction = recorder.name("reduction")
    optimizer = recorder.name("optimizer")
    evaluation = recorder.name("evaluation")
    checkpoint = recorder.name("checkpoint")
  }
}
