import FoundationEssentials

/// An IDX file of unsigned bytes: MNIST's format, plain or gzipped.
///
/// | bytes | hold |
/// |---|---|
/// | 0, 1 | zero |
/// | 2 | the elements' type: 8, unsigned bytes |
/// | 3 | the rank: how many extents follow |
/// | 4 … | the extents, outermost first, each 4 bytes, the most significant first |
/// | … | the elements, the last extent varying fastest |
///
/// A plain file is mapped: its pages come from the system's cache, are shared by all ranks of a host, and are not
/// copied. It must not be cut while it is in use. A gzipped file, told by its first bytes rather than by its name, is
/// unpacked into memory whose size is checked against the header and the packed size first.
///
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", its section on file formats.
public struct IDXFile: Sendable {
  /// Where the file was read from.
  public let path: String
  /// The extents, outermost first, each at least 1: `[count, rows, columns]` of images, `[count]` of labels.
  public let extents: [Int]
  /// The whole file, unpacked: its header and its elements.
  let content: Data
  /// Where the elements begin in ``content``.
  let elementsStart: Int

  /// Reads the file at `path`, which must hold unsigned bytes in an array of `rank` extents.
  ///
  /// Throws ``IDXError`` for a file that is not there, cannot be read, or is not all of such an IDX file and nothing
  /// else.
  public init(path: String, rank: Int) throws(IDXError) {
    let stored = try Self.contents(of: path)
    do throws(IDXError.Cause) {
      let headerByteCount = 4 + 4 * rank
      let content = GzipStream.isGzip(stored) ? try Self.unpack(stored, rank: rank) : stored
      let extents = try Self.extents(inHeaderOf: content, rank: rank)
      let byteCount = try Self.byteCount(extents)
      guard content.count >= byteCount else { throw .truncated(expected: byteCount, found: content.count) }
      guard content.count == byteCount else { throw .trailingBytes(expected: byteCount) }
      self.path = path
      self.extents = extents
      self.content = content
      elementsStart = headerByteCount
    } catch {
      throw IDXError(path: path, cause: error)
    }
  }

  private static func contents(of path: String) throws(IDXError) -> Data {
    do {
      return try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    } catch {
      let code = (error as? CocoaError)?.code
      var isDirectory = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory {
        throw IDXError(path: path, cause: .unreadable(reason: "it is a directory"))
      }
      switch code {
      case .fileReadNoSuchFile?: throw IDXError(path: path, cause: .missing)
      case .fileReadNoPermission?:
        throw IDXError(path: path, cause: .unreadable(reason: "no permission, or not a regular file"))
      default: throw IDXError(path: path, cause: .unreadable(reason: "the system failed to read it"))
      }
    }
  }

  /// The extents in the header at the beginning of `content`, of which there may be more or less than the header.
  private static func extents(inHeaderOf content: Data, rank: Int) throws(IDXError.Cause) -> [Int] {
    let bytes = content.span
    guard bytes.count >= 4 else { throw .truncated(expected: 4 + 4 * rank, found: bytes.count) }
    guard bytes[0] == 0, bytes[1] == 0 else { throw .magic(bytes[0], bytes[1]) }
    guard bytes[2] == 8 else { throw .elementType(bytes[2]) }
    guard Int(bytes[3]) == rank else { throw .rank(Int(bytes[3]), expected: rank) }
    guard bytes.count >= 4 + 4 * rank else { throw .truncated(expected: 4 + 4 * rank, found: bytes.count) }
    var extents: [Int] = []
    for axis in 0..<rank {
      var extent = 0
      for byte in 0..<4 { extent = extent << 8 | Int(bytes[4 + 4 * axis + byte]) }
      extents.append(extent)
    }
    guard extents.allSatisfy({ $0 > 0 }) else { throw .zeroExtent(extents) }
    return extents
  }

  /// The size of an unpacked file of these extents, header included.
  private static func byteCount(_ extents: [Int]) throws(IDXError.Cause) -> Int {
    var product = 1
    for extent in extents {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw .overflow(extents) }
      product = next
    }
    let (sum, overflow) = product.addingReportingOverflow(4 + 4 * extents.count)
    guard !overflow else { throw .overflow(extents) }
    return sum
  }

  /// Unpacks a whole gzipped IDX file, never taking more memory than its header promises and its size can hold.
  private static func unpack(_ compressed: Data, rank: Int) throws(IDXError.Cause) -> Data {
    var stream = GzipStream(compressed)
    var header = Data(count: 4 + 4 * rank)
    let headerByteCount = try stream.read(into: &header, from: 0)
    header = header.prefix(headerByteCount)
    let byteCount = try Self.byteCount(Self.extents(inHeaderOf: header, rank: rank))
    guard byteCount / GzipStream.greatestRatio <= compressed.count else {
      throw .truncated(expected: byteCount, found: nil)
    }
    var content = Data(count: byteCount)
    content.replaceSubrange(0..<headerByteCount, with: header)
    let found = headerByteCount + (try stream.read(into: &content, from: headerByteCount))
    guard found == byteCount else { throw .truncated(expected: byteCount, found: found) }
    // Room for one more byte: asking for it makes zlib check the sum, and filling it would be a byte too many.
    var beyond = Data(count: 1)
    guard try stream.read(into: &beyond, from: 0) == 0 else { throw .trailingBytes(expected: byteCount) }
    guard stream.trailingByteCount == 0 else { throw .gzip(.trailingBytes(stream.trailingByteCount)) }
    return content
  }
}
