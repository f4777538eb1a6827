import Glibc

/// A system call that failed.
struct SystemCallError: Error, Hashable {
  let call: FileWriteError.Operation
  /// The value of `errno`.
  let code: Int32
}

/// The code under which a file is reported that shrank while it was read, or does not hold what was written to it.
let systemInputOutputError = EIO

/// The code under which a file that is not there is reported.
let systemNoSuchFileError = ENOENT

/// The code under which a file where a directory must be is reported.
let systemNotADirectoryError = ENOTDIR

/// The code under which a directory is reported whose path is longer than the system takes.
let systemNameTooLongError = ENAMETOOLONG

/// The code under which a pipe, socket, device or directory is reported where a regular file must be. The system has none for it.
let systemNotARegularFileError: Int32 = -1
