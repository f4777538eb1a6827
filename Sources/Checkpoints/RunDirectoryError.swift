import Tensors

/// A run directory that cannot be used.
///
/// The program exits with 73 (cannot create) on it.
public enum RunDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It cannot be created or written to.
  case unwritable(FileWriteError)
  /// Another process holds it; `holder` is that process's line in the lock file: "process 4711 on node07".
  case locked(path: String, holder: String)
  /// The lock file of this process was removed or replaced: another process may hold the directory now.
  case lockLost(path: String)

  /// One line: the directory, what is wrong and what to do.
  public var description: String {
    switch self {
    case .unwritable(let error): error.description
    case .locked(let path, let holder):
      "\(path): in use by another job (\(holder)); wait for it to end, or give another \(Setting.directory)"
    case .lockLost(let path):
      "\(path): its file lock was removed or replaced while this job held it, so another job may write there; see that none "
        + "does, then run the same command again: it goes on from the newest checkpoint"
    }
  }
}
