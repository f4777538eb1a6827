/// One wait for other ranks. Time is what passes between two looks at the clock, but no more than a second: while this process is
/// suspended it does not count.
struct Waiting {
  private let patience: Patience
  private var lastLook: ContinuousClock.Instant?
  private(set) var time = Duration.zero

  init(_ patience: Patience) { self.patience = patience }

  /// Looks at the clock; whether patience is at its end.
  mutating func isOver() -> Bool {
    let now = ContinuousClock.now
    if let lastLook {
      time += min(now - lastLook, .seconds(1))
    } else {
      patience.heartbeat.wait = .polling
    }
    lastLook = now
    patience.heartbeat.polled()
    return time > patience.limit
  }

  /// Notes which rank is waited for.
  func awaits(_ rank: Int?) { patience.heartbeat.awaited = rank }

  /// What was waited for has come.
  func end() {
    guard lastLook != nil else { return }
    patience.heartbeat.wait = .none
    patience.heartbeat.awaited = nil
  }
}
