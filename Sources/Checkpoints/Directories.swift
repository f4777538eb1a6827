/// Creates the directory at `path` and those above it, durably, if they are missing.
func createDirectories(_ path: String) throws(FileWriteError) {
  guard path.utf8.count < systemPathLimit else {
    throw FileWriteError(path: path, SystemCallError(call: .createDirectory, code: systemNameTooLongError))
  }
  var missing: [String] = []
  var next = path
  while !isDirectory(next) {
    missing.append(next)
    let parent = parentDirectory(of: next)
    if parent == next { break }
    next = parent
  }
  for path in missing.reversed() {
    if try writing(path, try makeDirectory(path)) {
      try writing(path, try OpenFile(parentDirectory(of: path), .directory).synchronizeDirectory())
    } else if !isDirectory(path) {
      throw FileWriteError(path: path, SystemCallError(call: .createDirectory, code: systemNotADirectoryError))
    }
  }
}

/// The directory that holds `path`; "." for a bare name.
func parentDirectory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
