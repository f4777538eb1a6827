/// Writes a file so that its name always leads to a whole file: the old one or the new one, whatever fails or dies.
///
/// The bytes go to ``temporaryPath(for:)`` in the same directory, which is synchronized to the medium, closed, renamed
/// over the final name, and then the directory is synchronized too. When ``write(to:contents:)`` returns, the file
/// survives a power failure. When it throws, the temporary file is gone and what had the name before still has it, with
/// one exception: after ``FileWriteError/Operation/synchronizeDirectory`` the new file has the name but may not survive
/// a power failure.
///
/// A limit on the file size arrives as an error only after ``reportFileSizeLimits()``.
public enum AtomicFile {
  /// A file being written; it has no name of its own yet.
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

    consuming func finish() throws(FileWriteError) {
      do {
        // What is not whole must not be renamed over a whole file.
        try file.synchronize(holding: byteCount)
        try file.close()
      } catch {
        throw FileWriteError(path: path, error)
      }
    }
  }

  /// The name under which the file for `path` is written: `.name.tmp` beside it. It is predictable, so that a fault can
  /// be injected into exactly this file and a leftover be told from everything else; two writers of one path must
  /// therefore exclude each other (``RunDirectory`` does).
  public static func temporaryPath(for path: String) -> String {
    let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    return path[..<name] + "." + path[name...] + ".tmp"
  }

  /// Makes a write beyond the limit on the file size (`ulimit -f`) fail, for the whole process, instead of killing it.
  public static func reportFileSizeLimits() { ignoreFileSizeSignal() }

  /// Removes what a write of `path` that was cut short has left beside it, if anything.
  ///
  /// To be called where nobody else may be writing `path`: the writer would lose its file.
  public static func removeLeftover(of path: String) throws(FileWriteError) {
    let temporary = temporaryPath(for: path)
    do { try removeFile(temporary) } catch {
      if error.code != systemNoSuchFileError { throw FileWriteError(path: temporary, error) }
    }
  }

  /// Writes what `contents` appends as the file at `path`, durably, replacing what was there.
  public static func write(
    to path: String, contents: (inout Writer) throws(FileWriteError) -> Void
  ) throws(FileWriteError) {
    let temporary = temporaryPath(for: path)
    // Opened first: a directory that cannot be opened is found out before anything is renamed.
    let directory = try writing(path, try OpenFile(parentDirectory(of: path), .directory))
    do {
      var writer = Writer(file: try writing(path, try OpenFile(temporary, .replace)), path: path)
      try contents(&writer)
      try writer.finish()
      try writing(path, try renameFile(temporary, to: path))
    } catch {
      // The first error is the one to report, whatever becomes of the leftover: the next start removes it.
      try? removeFile(temporary)
      throw error
    }
    try writing(path, try directory.synchronizeDirectory())
  }

  /// Writes `bytes` as the file at `path`, durably, replacing what was there.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileWriteError) {
    try write(to: path) { file throws(FileWriteError) in try file.write(bytes) }
  }
}
