/// A file of records that this program alone adds to, one after another, each durably: what it costs does not grow with the file, in time
/// or memory.
///
/// A record is bytes that end with a line break. One whose write failed is written with the next one. What a failed or killed write has
/// left of it is cut off by the next write, or is for a reader to pass over who finds a record without its end. Where somebody else has
/// removed the file or cut it, the next record follows what is left.
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
    if let length, let extended = try extend(from: length) {
      self.length = extended
    } else {
      try AtomicFile.write(waiting, to: path)
      length = waiting.count
    }
    waiting = []
  }

  /// Returns the new length; nil where the file is gone.
  private func extend(from length: Int) throws(FileWriteError) -> Int? {
    do throws(SystemCallError) {
      let file = try OpenFile(path, .append)
      let found = try file.byteCount()
      let length = min(found, length)
      if found > length { try file.truncate(to: length) }
      // Of a file that was cut, what is left may be part of a record.
      let added = try Self.endsWithARecord(file, at: length) ? waiting : [Self.lineBreak] + waiting
      do {
        try file.write(added)
        try file.synchronize(holding: length + added.count)
      } catch {
        // The first error is the one to report, whatever becomes of the rest: the next write cuts it off, too.
        try? file.truncate(to: length)
        throw error
      }
      // Closing can tell nothing that fsync has not told.
      return length + added.count
    } catch {
      if error.call == .open, error.code == systemNoSuchFileError { return nil }
      throw FileWriteError(path: path, error)
    }
  }

  private static let lineBreak = UInt8(ascii: "\n")

  private static func endsWithARecord(_ file: borrowing OpenFile, at length: Int) throws(SystemCallError) -> Bool {
    guard length > 0 else { return true }
    var last: [UInt8] = [0]
    return try file.read(into: &last, count: 1, at: length - 1) == 0 || last[0] == lineBreak
  }
}
