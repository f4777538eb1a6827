import Kernels

/// An IDX file: MNIST's format, plain or gzipped.
///
/// | bytes | hold |
/// |---|---|
/// | 0, 1 | zero |
/// | 2 | the elements' type, see ``ElementType`` |
/// | 3 | the rank: how many extents follow |
/// | 4 … | the extents, outermost first, each 4 bytes, the most significant first |
/// | … | the elements, the last extent varying fastest, the most significant byte first |
///
/// The file is copied into memory, not mapped: a mapped file that somebody overwrites during a run changes the run's bits,
/// and one that is cut ends it by SIGBUS. MNIST's training images are 47 MB a rank, read in some 20 ms. A gzipped file,
/// told by its first bytes rather than by its name, is unpacked into memory whose size is checked against the header and
/// the packed size first.
///
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", its section on file formats.
public struct IDXFile: Sendable {
  /// What the elements are.
  public enum ElementType: UInt8, Sendable, CaseIterable {
    case unsignedByte = 0x08
    case signedByte = 0x09
    case short = 0x0B
    case int = 0x0C
    case float = 0x0D
    case double = 0x0E

    /// The types of whole numbers: those that labels may have.
    static let integers: [ElementType] = [.unsignedByte, .signedByte, .short, .int]

    /// The bytes of an element.
    var byteCount: Int {
      switch self {
      case .unsignedByte, .signedByte: 1
      case .short: 2
      case .int, .float: 4
      case .double: 8
      }
    }

    /// The type's name, as error lines have it.
    var name: String {
      switch self {
      case .unsignedByte: "unsigned bytes"
      case .signedByte: "signed bytes"
      case .short: "16-bit integers"
      case .int: "32-bit integers"
      case .float: "32-bit floats"
      case .double: "64-bit floats"
      }
    }
  }

  /// Where the file was read from.
  public let path: String
  /// What the elements are.
  public let type: ElementType
  /// The extents, outermost first, each at least 1: `[count, rows, columns]` of images, `[count]` of labels.
  public let extents: [Int]
  /// The whole file, unpacked: its header and its elements.
  let content: Buffer<UInt8>
  /// Where the elements begin in ``content``.
  let elementsStart: Int

  /// Reads the file at `path`, which must hold an array with a number of extents out of `ranks`, of elements of one of
  /// `types`.
  ///
  /// Throws ``IDXError`` for a file that is not there, cannot be read, or is not all of such an IDX file and nothing
  /// else.
  public init(path: String, ranks: ClosedRange<Int>, types: [ElementType] = [.unsignedByte]) throws(IDXError) {
    do throws(IDXError.Cause) {
      let stored = try fileContent(path)
      let packed = GzipStream.isGzip(stored)
      let (content, header) =
        try packed ? Self.unpack(stored, ranks, types) : (stored, Self.header(stored, ranks, types))
      guard content.count >= header.fileByteCount else {
        throw .truncated(expected: header.fileByteCount, found: content.count)
      }
      guard content.count == header.fileByteCount else { throw .trailingBytes(expected: header.fileByteCount) }
      self.path = path
      self.content = content
      (type, extents, elementsStart) = (header.type, header.extents, header.byteCount)
    } catch {
      throw IDXError(path: path, cause: error)
    }
  }

  /// The integer at `index`, counted in elements from the first.
  func integer(at index: Int) -> Int32 {
    let start = elementsStart + index * type.byteCount
    // The first byte carries the sign, but of unsigned bytes.
    var value = type == .unsignedByte ? Int32(content[start]) : Int32(Int8(bitPattern: content[start]))
    for byte in start + 1..<start + type.byteCount { value = value << 8 | Int32(content[byte]) }
    return value
  }

  /// What a file says of itself before its elements.
  private struct Header {
    let type: ElementType
    let extents: [Int]
    /// The bytes of the header itself, and of the whole unpacked file.
    var byteCount: Int { 4 + 4 * extents.count }
    let fileByteCount: Int
  }

  /// The header at the beginning of `bytes`, of which there may be more or less than the header.
  private static func header(
    _ bytes: Buffer<UInt8>, _ ranks: ClosedRange<Int>, _ types: [ElementType]
  ) throws(IDXError.Cause) -> Header {
    guard bytes.count >= 4 else { throw .truncated(expected: 4 + 4 * ranks.lowerBound, found: bytes.count) }
    guard bytes[0] == 0, bytes[1] == 0 else { throw .magic(bytes[0], bytes[1]) }
    guard let type = ElementType(rawValue: bytes[2]), types.contains(type) else {
      throw .elementType(bytes[2], expected: types)
    }
    let rank = Int(bytes[3])
    guard ranks.contains(rank) else { throw .rank(rank, expected: ranks) }
    guard bytes.count >= 4 + 4 * rank else { throw .truncated(expected: 4 + 4 * rank, found: bytes.count) }
    let extents = (0..<rank).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
    }
    guard extents.allSatisfy({ $0 > 0 }) else { throw .zeroExtent(extents) }
    return Header(type: type, extents: extents, fileByteCount: try fileByteCount(extents, type))
  }

  /// The size of an unpacked file of these extents, header included.
  private static func fileByteCount(_ extents: [Int], _ type: ElementType) throws(IDXError.Cause) -> Int {
    var product = type.byteCount
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
  private static func unpack(
    _ compressed: Buffer<UInt8>, _ ranks: ClosedRange<Int>, _ types: [ElementType]
  ) throws(IDXError.Cause) -> (Buffer<UInt8>, Header) {
    var stream = GzipStream(compressed)
    let start = Buffer<UInt8>(count: 4 + 4 * ranks.upperBound)
    let startByteCount = try stream.read(into: start)
    let header = try header(start.prefix(startByteCount), ranks, types)
    let byteCount = header.fileByteCount
    guard byteCount / GzipStream.greatestRatio <= compressed.count else {
      throw .truncated(expected: byteCount, found: nil)
    }
    guard startByteCount <= byteCount else { throw .trailingBytes(expected: byteCount) }
    let content: Buffer<UInt8> = try memory(byteCount)
    content.prefix(startByteCount).copy(from: start.prefix(startByteCount))
    let found = startByteCount + (try stream.read(into: content[startByteCount..<byteCount]))
    guard found == byteCount else { throw .truncated(expected: byteCount, found: found) }
    // Room for one more byte: asking for it makes zlib check the sum, and filling it would be a byte too many.
    guard try stream.read(into: Buffer(count: 1)) == 0 else { throw .trailingBytes(expected: byteCount) }
    guard stream.trailingByteCount == 0 else { throw .gzip(.trailingBytes(stream.trailingByteCount)) }
    return (content, header)
  }
}
