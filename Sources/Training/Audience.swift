/// The observers that are told of a run: all on rank 0, none on other ranks.
struct Audience {
  let observers: [any Observer]
  let onFailure: RunOptions.SaveFailure

  /// Tells all observers. The error of one ends the run or becomes a warning.
  func tell(_ message: (any Observer) throws -> Void) throws {
    for observer in observers {
      do { try message(observer) } catch { try warnOrThrow(error) }
    }
  }

  /// Runs `body`, which is `activity`, of which the observers are told.
  func during<Result>(_ activity: Activity, _ body: () throws -> Result) rethrows -> Result {
    for observer in observers { observer.entered(activity) }
    defer { for observer in observers { observer.left(activity) } }
    return try body()
  }

  /// Throws `error`, as a ``TrainingError``. If the run goes on without a file that could not be written, only warns of
  /// it.
  func warnOrThrow(_ error: any Error) throws {
    let error = TrainingError(error)
    guard error.code == .cannotWrite, onFailure == .goOn else { throw error }
    warn(error.description)
  }

  func warn(_ line: String) {
    for observer in observers { observer.warned(line) }
  }
}
