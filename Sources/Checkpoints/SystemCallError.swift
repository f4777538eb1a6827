import Glibc

/// A failed system call: its name and its error number.
struct SystemCallError: Error, Hashable {
  let call: FileWriteError.Operation
  /// The value of `errno`.
  let code: Int32
}

/// The code of a file that shrank while it was read, or does not hold the bytes that were written to it.
let systemInputOutputError = EIO

/// The code of a file that does not exist.
let systemNoSuchFileError = ENOENT

/// The code of a file in the place of a directory.
let systemNotADirectoryError = ENOTDIR

/// The code of a path that is longer than the system takes.
let systemNameTooLongError = ENAMETOOLONG

/// The code of a pipe, socket, device or directory in the place of a regular file. The system has none for it.
let systemNotARegularFileError: Int32 = -1
