/// A file of records that this program alone adds to, one after another, each durably: what it costs does not grow with the file, in time
/// or memory.
///
/// A record whose write failed is written with the next one. What a failed or killed write has left of it is cut off by the next write,
/// or is for a reader to pass over who finds a record without its end.
public struct GrowingFile: Sendable {
  private let path: String
  /// The bytes of whole records that are there; nil as long as this program has not written any.
  private var length: Int?
  /// Records that could not be written yet.
  private var waiting: [UInt8] = []

  /// The file at `path`, which holds so many bytes of records.
  public init(_ path: String, holding length: Int) {
    self.path = path
    self.length = length
  }

  /// The file at `path`, of which the next write leaves but `records`.
  public init(_ path: String, replacedBy records: [UInt8] = []) {
    self.path = path
    waiting = records
  }

  /// Adds `record` and all that wait. Returns when they are on the medium; when it throws, they wait.
  public mutating func append(_ record: [UInt8]) throws(FileWriteError) {
    waiting += record
    if let length {
      try extend(from: length)
    } else {
      try AtomicFile.write(waiting, to: path)
    }
    length = (length ?? 0) + waiting.count
    waiting = []
  }

  private func extend(from length: Int) throws(FileWriteError) {
    try writing(path) { () throws(SystemCallError) in
      let file = try OpenFile(path, .append)
      guard let found = try file.regularByteCount(), found >= length else {
        throw SystemCallError(call: .write, code: systemInputOutputError)
      }
      if found > length { try file.truncate(to: length) }
      do throws(SystemCallError) {
        try waiting.withBytes { (bytes) throws(SystemCallError) in try file.write(bytes) }
        try file.synchronize(holding: length + waiting.count)
      } catch {
        // The first error is the one to report, whatever becomes of the rest: the next write cuts it off, too.
        do throws(SystemCallError) { try file.truncate(to: length) } catch {}
        throw error
      }
      // Closing can tell nothing that fsync has not told.
    }
  }
}
