/// The bytes of a ZIP archive around its entries' contents (PKWARE's APPNOTE 6.3), which are stored as they are:
///
///     var archive = ZIPArchive()
///     for each entry: write(archive.header(of: name, checksum: …, count: …)), write the content
///     write(archive.end)
///
/// The contents pass by it, so that a file of any size needs no memory. The same entries give the same bytes: all are of 1 January 1980.
public struct ZIPArchive: Sendable {
  /// The most bytes of an archive: those of the format without its extension for larger ones.
  public static let mostBytes = Int(UInt32.max) - 1
  /// The most entries, likewise.
  public static let mostEntries = Int(UInt16.max) - 1

  /// The part of an entry's header that stands before its content and in the directory.
  private struct Entry {
    var name: [UInt8]
    var checksum: UInt32
    var count: UInt32
    /// Where the entry begins.
    var start: UInt32

    /// From the version that a reader needs (2.0) on: the flag for names in UTF-8, no compression, time and date, checksum, the size twice,
    /// and the lengths of the name and of what is behind it.
    private var common: [UInt8] {
      var bytes: [UInt8] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]
      for word in [checksum, count, count] { bytes += word.littleEndianBytes }
      bytes += UInt16(name.count).littleEndianBytes
      return bytes + UInt16(0).littleEndianBytes
    }

    /// What stands before the content.
    var header: [UInt8] { ZIPArchive.signature(3, 4) + common + name }

    /// The entry in the directory: with no comment, on the first disk, without attributes.
    var line: [UInt8] {
      var bytes = ZIPArchive.signature(1, 2)
      bytes += UInt16(20).littleEndianBytes
      bytes += common
      bytes += [UInt8](repeating: 0, count: 10)
      bytes += start.littleEndianBytes
      return bytes + name
    }
  }

  private static func signature(_ third: UInt8, _ fourth: UInt8) -> [UInt8] { [0x50, 0x4B, third, fourth] }

  private var entries: [Entry] = []
  private var size = 0

  /// An archive without entries.
  public init() {}

  /// The bytes of the archive of entries with these names and numbers of bytes.
  public static func size(of entries: [(name: String, count: Int)]) -> Int {
    entries.reduce(22) { $0 + 30 + 46 + 2 * $1.name.utf8.count + $1.count }
  }

  /// Begins an entry, and returns the bytes that stand before its content.
  ///
  /// - Parameters:
  ///   - name: its path, once in an archive, of at most 65,535 bytes.
  ///   - checksum: the CRC-32 of the content (``CRC32``).
  ///   - count: the bytes of the content. The archive must stay within ``mostBytes`` and ``mostEntries``.
  public mutating func header(of name: String, checksum: UInt32, count: Int) -> [UInt8] {
    precondition(
      count >= 0 && size + count <= Self.mostBytes && entries.count < Self.mostEntries
        && name.utf8.count <= Int(UInt16.max), "an entry of \(count) bytes behind \(size)")
    let entry = Entry(name: Array(name.utf8), checksum: checksum, count: UInt32(count), start: UInt32(size))
    entries.append(entry)
    size += entry.header.count + count
    return entry.header
  }

  /// The bytes behind the last content: the directory of the entries.
  public var end: [UInt8] {
    let lines = entries.flatMap(\.line)
    precondition(size + lines.count <= Self.mostBytes, "an archive of \(size + lines.count) bytes")
    let number = UInt16(entries.count)
    // Of the first disk, with no comment.
    var bytes = lines
    bytes += Self.signature(5, 6)
    for half in [0, 0, number, number] { bytes += half.littleEndianBytes }
    for word in [UInt32(lines.count), UInt32(size)] { bytes += word.littleEndianBytes }
    return bytes + UInt16(0).littleEndianBytes
  }
}
