/// Who is told of a run: its observers on rank 0, nobody on the others.
struct Audience {
  let observers: [any Observer]
  let onFailure: RunOptions.SaveFailure

  /// Tells all; one that cannot write its file ends the run, or is heard as a warning.
  func tell(_ message: (any Observer) throws -> Void) throws {
    for observer in observers {
      do { try message(observer) } catch { try warnOrThrow(error) }
    }
  }

  /// Throws what ends the run; warns of a file that could not be written where the run goes on without it.
  func warnOrThrow(_ error: any Error) throws {
    let error = TrainingError(error)
    guard error.code == .cannotWrite, onFailure == .goOn else { throw error }
    warn(error.description)
  }

  func warn(_ line: String) {
    for observer in observers { observer.warned(line) }
  }
}
