import Tensors

/// One wait for other ranks. Its time adds up what passes between two looks at the clock, at most a second each, so
/// that time in which this process is suspended does not count.
struct Waiting {
  private let patience: Patience
  private var lastLook: ContinuousClock.Instant?
  private(set) var time = Duration.zero
  /// The time at the first look, by the recorder's clock; 0 if nothing is recorded.
  private var start: UInt64 = 0

  init(_ patience: Patience) { self.patience = patience }

  /// Looks at the clock. True once the wait is longer than its limit.
  mutating func isOver() -> Bool {
    let now = ContinuousClock.now
    if let lastLook {
      time += min(now - lastLook, .seconds(1))
    } else {
      patience.heartbeat.wait = .polling
      if patience.recording?.recorder.isOn == true { start = SpanRecorder.now }
    }
    lastLook = now
    patience.heartbeat.polled()
    return time > patience.limit
  }

  /// Notes which rank is waited for.
  func awaits(_ rank: Int?) { patience.heartbeat.awaited = rank }

  /// Notes that the wait is over.
  func end() {
    guard lastLook != nil else { return }
    patience.heartbeat.wait = .none
    patience.heartbeat.awaited = nil
    if start > 0, let (recorder, name) = patience.recording { recorder.record(name, from: start, to: SpanRecorder.now) }
  }
}
