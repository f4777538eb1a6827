extension RunDirectory {
  /// Makes a directory that was not there and takes its lock: at `path` or, where that name is taken, at `path-2`, `path-3` and so on.
  ///
  /// Runs that begin in the same second so have a directory each.
  public static func makeNew(_ path: String) throws(RunDirectoryError) -> RunDirectory {
    var name = path
    do throws(FileWriteError) {
      try createDirectories(parentDirectory(of: path))
      var number = 1
      while !(try writing(name, { () throws(SystemCallError) in try makeDirectory(name) })) {
        number += 1
        name = "\(path)-\(number)"
      }
    } catch {
      throw .unwritable(error)
    }
    return try RunDirectory(name)
  }
}
