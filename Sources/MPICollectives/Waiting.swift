/// One wait for other ranks. Its time adds up what passes between two looks at the clock, at most a second each, so
/// that time in which this process is suspended does not count.
struct Waiting {
  private let patience: Patience
  private var lastLook: ContinuousClock.Instant?
  private(set) var time = Duration.zero

  init(_ patience: Patience) { self.patience = patience }

  /// Looks at the clock. True once the wait is longer than its limit.
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

  /// Notes that the wait is over.
  func end() {
    guard lastLook != nil else { return }
    patience.heartbeat.wait = .none
    patience.heartbeat.awaited = nil
  }
}
