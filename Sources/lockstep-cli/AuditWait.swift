import Lockstep

/// Shows what an audit is at, on rank 0, where commands show what is waited for.
final class AuditWait: Observer {
  private var line: WaitingLine?
  private var text = ""

  /// The wait for what `text` says, in the place of the one before.
  func begin(_ text: String) {
    self.text = text
    show(text)
  }

  func endedEpoch(_ report: EpochReport) {
    show("\(text), epoch \(report.training.epoch) of \(report.training.epochs) done")
  }

  /// Ends the wait.
  func end() {
    line?.stop()
    line = nil
  }

  private func show(_ text: String) {
    end()
    if World.isFirst { line = WaitingLine(text, in: Terminal.isInteractive ? .terminal : .errors) }
  }
}
