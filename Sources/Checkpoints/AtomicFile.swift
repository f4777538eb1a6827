/// Writes a file so that its name always leads to a whole file: the old one or the new one, whatever fails or dies.
///
/// The bytes go to ``temporaryPath(for:)`` in the same directory. That file is synchronized to the medium, closed and
/// renamed over the final name; then the directory is synchronized. Once ``write(to:contents:)`` has returned, the file
/// survives a power failure. If it throws, the temporary file is gone and the old file still has the name. One
/// exception: after ``FileWriteError/Operation/synchronizeDirectory`` the new file has the name, but may not survive a
/// power failure.
///
/// A write beyond the limit on file sizes kills the process, unless ``reportFileSizeLimits()`` was called before.
public enum AtomicFile {
  /// A file that is being written, still under its temporary name.
  public struct Writer: ~Copyable {
    private let file: OpenFile
    private let path: String
    private var byteCount = 0

    init(file: consuming OpenFile, path: String) {
      self.file = file
      self.path = path
    }

    /// Appends `bytes`.
    public mutating func write(_ bytes: RawSpan) throws(FileWriteError) {
      try writing(path, try file.write(bytes))
      byteCount += bytes.byteCount
    }

    /// Appends `bytes`.
    public mutating func write(_ bytes: [UInt8]) throws(FileWriteError) {
      try writing(path, try file.write(bytes))
      byteCount += bytes.count
    }

    consuming func finish(isDurable: Bool) throws(FileWriteError) {
      do {
        // An incomplete file must not be renamed over a whole one.
        if isDurable { try file.synchronize(holding: byteCount) }
        try file.close()
      } catch {
        throw FileWriteError(path: path, error)
      }
    }
  }

  /// The temporary name of the file for `path`: `.name.tmp` beside it.
  ///
  /// It is always the same, so that tests can make exactly this file fail, and a leftover can be found. Therefore two
  /// writers of one path must exclude each other (``RunDirectory`` does).
  public static func temporaryPath(for path: String) -> String {
    let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    return path[..<name] + "." + path[name...] + ".tmp"
  }

  /// Makes a write beyond the limit on file sizes (`ulimit -f`) throw, anywhere in the process, instead of killing it.
  public static func reportFileSizeLimits() { ignoreFileSizeSignal() }

  /// Removes the temporary file of `path`, if an interrupted write has left one.
  ///
  /// Nobody else may be writing `path`: the writer would lose its file.
  public static func removeLeftover(of path: String) throws(FileWriteError) {
    let temporary = temporaryPath(for: path)
    do { try removeFile(temporary) } catch {
      if error.code != systemNoSuchFileError { throw FileWriteError(path: temporary, error) }
    }
  }

  /// Writes the bytes that `contents` appends as the file at `path`, durably, in the place of the old file.
  public static func write(
    to path: String, contents: (inout Writer) throws(FileWriteError) -> Void
  ) throws(FileWriteError) {
    // Opened first, so that a directory that cannot be opened is found before anything is renamed.
    let directory = try writing(path, try OpenFile(parentDirectory(of: path), .directory))
    try put(at: path, isDurable: true, contents)
    try writing(path, try directory.synchronizeDirectory())
  }

  /// Writes `bytes` as the file at `path` in the place of the old file, and does not wait for the medium: a reader finds either
  /// file whole, but after a power failure it may be neither. For what is written again soon.
  public static func replace(_ bytes: [UInt8], at path: String) throws(FileWriteError) {
    try put(at: path, isDurable: false) { file throws(FileWriteError) in try file.write(bytes) }
  }

  private static func put(
    at path: String, isDurable: Bool, _ contents: (inout Writer) throws(FileWriteError) -> Void
  ) throws(FileWriteError) {
    let temporary = temporaryPath(for: path)
    do {
      var writer = Writer(file: try writing(path, try OpenFile(temporary, .replace)), path: path)
      try contents(&writer)
      try writer.finish(isDurable: isDurable)
      try writing(path, try renameFile(temporary, to: path))
    } catch {
      // The first error is the one to report, whatever becomes of the leftover: the next start removes it.
      try? removeFile(temporary)
      throw error
    }
  }

  /// Writes `bytes` as the file at `path`, durably, in the place of the old file.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileWriteError) {
    try write(to: path) { file throws(FileWriteError) in try file.write(bytes) }
  }
}
