import Tensors

/// A file that cannot be read whole.
///
/// The program exits with 66 if ``fileIsMissing``, else with 65.
public struct FileReadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// Whether the file does not exist.
  public let fileIsMissing: Bool
  private let problem: String

  init(_ path: String, _ error: SystemCallError) {
    self.path = path
    fileIsMissing = [systemNoSuchFileError, systemNotADirectoryError, systemNameTooLongError].contains(error.code)
    problem =
      "cannot be read: \(systemErrorText(error.code)); check "
      + (fileIsMissing ? "the name" : "its permissions and the disk")
  }

  init(_ path: String, byteCount: Int, limit: Int) {
    self.path = path
    fileIsMissing = false
    problem = "has \(byteCount) bytes; the most is \(limit)"
  }

  /// One line: the file, what is wrong and what to do.
  public var description: String { singleLine("\(path): \(problem)") }
}
