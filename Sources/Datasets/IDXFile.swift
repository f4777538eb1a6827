import Primitives

/// An IDX file: MNIST's format, plain or gzipped.
///
/// | bytes | hold |
/// |---|---|
/// | 0, 1 | zero |
/// | 2 | the elements' type (``ElementType``) |
/// | 3 | the rank: the number of extents |
/// | 4 … | the extents, outermost first, each 4 bytes, the most significant first |
/// | … | the elements, the last extent varying fastest, the most significant byte first |
///
/// The file is copied into memory, not mapped: if a mapped file is overwritten during a run, the run's bits change, and
/// if it is cut, SIGBUS ends the run. MNIST's training images are 47 MB on each rank, read in some 20 ms. A gzipped
/// file is known by its first bytes, not by its name. Before memory for it is allocated, its size by the header is
/// checked against its packed size.
///
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", its section on file formats.
public struct IDXFile: Sendable {
  /// The type of an element.
  public enum ElementType: UInt8, Sendable, CaseIterable {
    /// An integer of 1 byte without a sign.
    case unsignedByte = 0x08
    /// An integer of 1 byte.
    case signedByte = 0x09
    /// An integer of 2 bytes.
    case short = 0x0B
    /// An integer of 4 bytes.
    case int = 0x0C
    /// A floating-point number of 4 bytes.
    case float = 0x0D
    /// A floating-point number of 8 bytes.
    case double = 0x0E

    /// The integer types, which labels may have.
    static let integers: [ElementType] = [.unsignedByte, .signedByte, .short, .int]

    /// The size of an element in bytes.
    var byteCount: Int {
      switch self {
      case .unsignedByte, .signedByte: 1
      case .short: 2
      case .int, .float: 4
      case .double: 8
      }
    }

    /// The type's name in error lines.
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

  /// The path that the file was read from.
  public let path: String
  /// The type of the elements.
  public let type: ElementType
  /// The extents, outermost first, each at least 1: `[count, rows, columns]` of images, `[count]` of labels.
  public let extents: [Int]
  /// The whole file, unpacked: its header and its elements.
  let content: Buffer<UInt8>
  /// The place in ``content`` of the first element.
  let elementsStart: Int

  /// Reads the file at `path`, an array whose number of extents is in `ranks`, of elements of one of `types`.
  ///
  /// Throws ``IDXError`` if the file is missing or cannot be read, or is not exactly one such IDX file.
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

  /// The integer at `index`, counted in elements.
  func integer(at index: Int) -> Int32 {
    let start = elementsStart + index * type.byteCount
    // The first byte carries the sign, except of unsigned bytes.
    var value = type == .unsignedByte ? Int32(content[start]) : Int32(Int8(bitPattern: content[start]))
    for byte in start + 1..<start + type.byteCount { value = value << 8 | Int32(content[byte]) }
    return value
  }

  /// The type and the extents that precede the elements.
  private struct Header {
    let type: ElementType
    let extents: [Int]
    /// The size of the header in bytes.
    var byteCount: Int { 4 + 4 * extents.count }
    /// The size of the unpacked file in bytes.
    let fileByteCount: Int
  }

  /// The header at the beginning of `bytes`. Throws if they are too few, or no header of one of `ranks` and `types`.
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

  /// The size in bytes of an unpacked file of these extents, header included. Throws if it overflows.
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

  /// Unpacks a gzipped IDX file. Takes no more memory than its header promises and its packed size can hold.
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
    // Asking for one more byte makes zlib check the sum; getting it would be a byte too many.
    guard try stream.read(into: Buffer(count: 1)) == 0 else { throw .trailingBytes(expected: byteCount) }
    guard stream.trailingByteCount == 0 else { throw .gzip(.trailingBytes(stream.trailingByteCount)) }
    return (content, header)
  }
}
