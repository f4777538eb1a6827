/// The waits that go on, and what is to be seen of them. A value without a clock and a terminal of its own.
package struct Waits {
  /// The time after which a line is drawn.
  package static let patience = Duration.seconds(2)
  /// The time after which a line is printed where none is drawn.
  package static let patienceOfLogs = Duration.seconds(10)

  /// A wait that goes on.
  private struct Wait {
    let id: ObjectIdentifier
    let text: String
    let place: WaitingLine.Place
    let since: ContinuousClock.Instant
    /// Whether its line is printed, if it is one to print.
    var isPrinted = false
  }

  /// What is to be done now.
  package enum Sight: Equatable {
    /// Draw this line in the place of the one before.
    case draw(String)
    /// Print this line.
    case print(String, WaitingLine.Place)
  }

  /// Those that go on, each inside the one before.
  private var waits: [Wait] = []
  /// Whether a line of theirs has been drawn.
  private var isDrawn = false

  package init() {}

  /// Adds a wait for what `text` says, inside those that go on.
  package mutating func begin(
    _ id: ObjectIdentifier, _ text: String, _ place: WaitingLine.Place, at now: ContinuousClock.Instant
  ) {
    waits.append(Wait(id: id, text: text, place: place, since: now))
  }

  /// Removes a wait. Returns whether its line may be on the terminal and must go.
  package mutating func end(_ id: ObjectIdentifier) -> Bool {
    guard waits.contains(where: { $0.id == id }) else { return false }
    waits.removeAll { $0.id == id }
    defer { isDrawn = false }
    return isDrawn
  }

  /// What is to be seen at `now`, of the innermost wait; nil if nothing.
  package mutating func look(at now: ContinuousClock.Instant) -> Sight? {
    guard let wait = waits.last, let next = next(after: now), next <= now else { return nil }
    guard wait.place == .terminal else {
      waits[waits.count - 1].isPrinted = true
      return .print(wait.text, wait.place)
    }
    isDrawn = true
    return .draw("\(wait.text) … \(duration(Double((now - wait.since).components.seconds)))")
  }

  /// When there may be something to be seen, `now` or later; nil if there will be nothing.
  ///
  /// A line is drawn once the outermost wait is long, because nothing was to be seen since that began.
  package func next(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
    guard let wait = waits.last, !wait.isPrinted else { return nil }
    return max(now, wait.place == .terminal ? waits[0].since + Self.patience : wait.since + Self.patienceOfLogs)
  }
}
