/// The observers that are told of a run: all on rank 0, none on other ranks.
package struct Audience {
  package let observers: [any Observer]
  package let onFailure: RunOptions.SaveFailure

  package init(observers: [any Observer], onFailure: RunOptions.SaveFailure) {
    (self.observers, self.onFailure) = (observers, onFailure)
  }

  /// Tells all observers. The error of one ends the run or becomes a warning.
  package func tell(_ message: (any Observer) throws -> Void) throws {
    for observer in observers {
      do { try message(observer) } catch { try warnOrThrow(error) }
    }
  }

  /// Runs `body`, which is `activity`, of which the observers are told.
  package func during<Result>(_ activity: Activity, _ body: () throws -> Result) rethrows -> Result {
    for observer in observers { observer.entered(activity) }
    defer { for observer in observers { observer.left(activity) } }
    return try body()
  }

  /// Throws `error`, as a ``TrainingError``. If the run goes on without a file that could not be written, only warns of
  /// it.
  package func warnOrThrow(_ error: any Error) throws {
    let error = TrainingError(error)
    guard error.code == .cannotWrite, onFailure == .goOn else { throw error }
    warn(error.description)
  }

  package func warn(_ line: String) {
    for observer in observers { observer.warned(line) }
  }
}
