import Glibc

/// Writes one line to standard error, at once and whole.
func complain(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
}
