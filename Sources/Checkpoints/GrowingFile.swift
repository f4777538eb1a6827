/// A file of records that only this program adds to, one after another, each durably. Time and memory for a record do
/// not grow with the file.
///
/// A record is bytes that end with a line break. If its write fails, it is written again with the next record. An
/// interrupted write may leave a part of a record; the next write cuts it off, and a reader passes over a record
/// without an end. If somebody else removes or cuts the file, the next record follows what is left.
///
/// A binary file has records that no line break divides, and a header at its beginning. Once it is cut, nobody can read
/// what follows, so it is then begun anew.
public struct GrowingFile: Sendable {
  private let path: String
  /// The bytes at the beginning of a binary file; nil of a file of lines.
  private let header: [UInt8]?
  /// The number of bytes of whole records in the file; nil until this program has written one.
  private var length: Int?
  /// The records that could not be written yet.
  private var waiting: [UInt8] = []
  /// Whether the last write failed.
  private var isBehind = false

  /// The file at `path`, which holds `length` bytes of records.
  public init(_ path: String, holding length: Int) {
    self.path = path
    self.length = length
    header = nil
  }

  /// The file at `path`, whose content the next write replaces with `records`, followed by the new record.
  public init(_ path: String, replacedBy records: [UInt8] = []) {
    self.path = path
    waiting = records
    header = nil
  }

  /// The binary file at `path`, whose content the first write replaces with `header`, followed by the new record.
  public init(_ path: String, binaryAfter header: [UInt8]) {
    self.path = path
    self.header = header
  }

  /// Adds `record` behind those that wait. Returns once all are on the medium; if it throws, they go on waiting.
  public mutating func append(_ record: [UInt8]) throws(FileWriteError) {
    waiting += record
    isBehind = true
    if let length, let extended = try extend(from: length) {
      self.length = extended
    } else {
      let content = (header ?? []) + waiting
      try AtomicFile.write(content, to: path)
      length = content.count
    }
    waiting = []
    isBehind = false
  }

  /// Writes the records that wait because an earlier write failed, if there are any.
  public mutating func finish() throws(FileWriteError) {
    if isBehind { try append([]) }
  }

  /// Writes the waiting records behind the first `length` bytes. Returns the new length; nil if the file is gone, or is
  /// binary and was cut.
  private func extend(from length: Int) throws(FileWriteError) -> Int? {
    do throws(SystemCallError) {
      let file = try OpenFile(path, .append)
      let found = try file.byteCount()
      if header != nil, found < length { return nil }
      let length = min(found, length)
      if found > length { try file.truncate(to: length) }
      // A file that was cut may end inside a record.
      let isWhole = try header != nil ? true : Self.endsWithARecord(file, at: length)
      let added = isWhole ? waiting : [Self.lineBreak] + waiting
      do {
        try file.write(added)
        try file.synchronize(holding: length + added.count)
      } catch {
        // The first error is the one to report. If this fails too, the next write cuts the rest off.
        try? file.truncate(to: length)
        throw error
      }
      // Closing can report nothing that fsync has not reported.
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
