import Glibc

/// A file or directory that could not be written. The old one, if any, is still there.
///
/// The program exits with 73 (cannot create) on it.
public struct FileWriteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operation that failed.
  public enum Operation: String, Hashable, Sendable {
    /// Opening or creating.
    case open
    /// Reading.
    case read
    /// Writing bytes.
    case write
    /// Synchronizing the bytes to the medium.
    case synchronize = "fsync"
    /// Closing.
    case close
    /// Giving the finished file its name.
    case rename
    /// Synchronizing the new name to the medium. The file is whole under its name, but may not survive a power failure.
    case synchronizeDirectory = "fsync of the directory"
    /// Creating a directory.
    case createDirectory = "mkdir"
    /// Locking.
    case lock = "flock"
    /// Removing.
    case remove = "unlink"
    /// Listing a directory.
    case list = "opendir"
  }

  /// The file that was to be written.
  public let path: String
  /// The operation that failed.
  public let operation: Operation
  /// The system's error number.
  public let code: Int32

  init(path: String, _ error: SystemCallError) {
    self.path = path
    operation = error.call
    code = error.code
  }

  /// One line: the file, what failed and why, and what to do.
  public var description: String {
    "cannot write \(path): \(operation.rawValue): \(systemErrorText(code)); \(advice)"
  }

  private var advice: String {
    switch code {
    case ENOSPC, EDQUOT: "free space there or write to another directory"
    case EFBIG: "raise the file size limit (ulimit -f) or write to another directory"
    case EACCES, EPERM, EROFS: "write to a directory in which you may create files"
    case ENOENT, ENOTDIR: "check the directory's name"
    case ENAMETOOLONG: "use a shorter name"
    case systemNotARegularFileError, EISDIR, ELOOP: "remove what has the file's name or write to another directory"
    case ENOLCK, ENOSYS, EOPNOTSUPP:
      "mount the file system so that it has locks (Lustre: -o flock) or write to another directory"
    case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
    default: "check the disk or write to another directory"
    }
  }
}

/// The result of `call`, a failure of which is a failure to write `path`.
func writing<Result: ~Copyable>(
  _ path: String, _ call: @autoclosure () throws(SystemCallError) -> Result
) throws(FileWriteError) -> Result {
  do { return try call() } catch { throw FileWriteError(path: path, error) }
}
