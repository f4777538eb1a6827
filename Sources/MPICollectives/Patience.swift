import Collectives
import Tensors

/// The limit of a rank's wait for others, the heartbeat that shows the wait, and the record of it.
struct Patience {
  let limit: Duration
  let heartbeat: Heartbeat
  /// Where waits are recorded; nil if they are not.
  var recording: (recorder: SpanRecorder, name: SpanRecorder.Name)?

  /// Calls `body`, which waits for other ranks, with a patience that records nothing within it.
  func recordingWait(_ body: (Patience) throws(CommunicationError) -> Void) throws(CommunicationError) {
    guard let (recorder, name) = recording, recorder.isOn else { return try body(self) }
    var inner = self
    inner.recording = nil
    let start = SpanRecorder.now
    try body(inner)
    recorder.record(name, from: start, to: SpanRecorder.now)
  }
}
