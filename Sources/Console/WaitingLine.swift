import Dispatch
import Primitives
import Tensors

/// A line that says what a person waits for, as long as it lasts.
///
/// On a terminal it is drawn after two seconds, `evaluating on 10,000 samples … 12 s`, renewed every second, and gone when the wait is over.
/// Elsewhere it is printed once, after ten seconds and without the time. Waits can be inside one another; the innermost is shown.
///
/// An error on standard error ends all of them, because what is waited for may never come.
public final class WaitingLine: Sendable {
  /// Where the line is shown.
  public enum Place: Sendable {
    /// In place on the person's terminal.
    case terminal
    /// As a line of a log, on standard output.
    case output
    /// As a line of a log, on standard error, where results alone go to standard output.
    case errors
  }

  /// Begins a wait for what `text` says, such as `reading mnist`.
  public init(_ text: String, in place: Place) {
    Terminal.begin(self, singleLine(text), place)
    Self.bell.signal()
  }

  deinit { stop() }

  /// Ends the wait. The line is gone once this returns, and does not come back.
  public func stop() { Terminal.end(self) }

  /// Shows `text` in `place` for as long as `body` lasts; nothing if `place` is nil.
  public static func show<Result: ~Copyable, Failure: Error>(
    _ text: String, in place: Place?, while body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let place else { return try body() }
    let line = WaitingLine(text, in: place)
    defer { line.stop() }
    return try body()
  }

  /// Rung when a wait begins, for the thread that shows them all.
  private static let bell: DispatchSemaphore = {
    let bell = DispatchSemaphore(value: 0)
    // A thread of Dispatch's would take much more of a limited address space.
    startThread(stackBytes: 512 << 10) {
      while true {
        guard let next = Terminal.showWait() else {
          bell.wait()
          continue
        }
        let pause = (next - .now).components
        _ = bell.wait(
          timeout: .now() + .seconds(Int(pause.seconds)) + .nanoseconds(Int(pause.attoseconds / 1_000_000_000)))
      }
    }
    return bell
  }()
}
