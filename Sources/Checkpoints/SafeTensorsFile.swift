import Digests
import Tensors

/// An open safetensors file whose every byte has been checked.
///
/// Reading needs memory for the header and one chunk, however large the file is or claims to be.
///
/// ```swift
/// let file = try SafeTensorsFile("model.safetensors")
/// for tensor in file.header.tensors { print(tensor.name, tensor.shape) }
/// try file.read("dense.weight", shape: [5408, 10], into: weight)
/// ```
public struct SafeTensorsFile: ~Copyable {
  /// Whether a file must have checksums.
  public enum Checksums: Sendable {
    /// A file without checksums is refused: this program's own files have them.
    case required
    /// A file from elsewhere may have none (``SafeTensorsHeader/hasChecksums``). If it has some, they must be right.
    case optional
  }

  /// The file's name, as it was given.
  public let path: String
  /// The file's header: tensors and metadata.
  public let header: SafeTensorsHeader
  /// The file's size in bytes.
  public let byteCount: Int
  private let file: OpenFile
  private let dataOffset: Int

  /// A multiple of every element's size, large enough for few calls and small enough to stay in the cache.
  private static let chunkByteCount = 256 << 10

  /// Opens the file, reads all of it once, and checks its structure and its checksums.
  public init(_ path: String, checksums: Checksums = .required) throws(SafeTensorsError) {
    do {
      self = try Self.opened(path, checksums: checksums)
    } catch {
      throw SafeTensorsError(path: path, error)
    }
  }

  private init(path: String, header: SafeTensorsHeader, byteCount: Int, file: consuming OpenFile, dataOffset: Int) {
    self.path = path
    self.header = header
    self.byteCount = byteCount
    self.file = file
    self.dataOffset = dataOffset
  }

  private static func opened(
    _ path: String, checksums: Checksums
  ) throws(SafeTensorsError.Problem) -> SafeTensorsFile {
    let file = try open(path)
    let byteCount = try byteCount(of: file)
    let prefix = try headerBytes(of: file, byteCount: byteCount)
    let header = try SafeTensorsHeader(json: Array(prefix[8...]), dataByteCount: byteCount - prefix.count)
    let opened = SafeTensorsFile(
      path: path, header: header, byteCount: byteCount, file: file, dataOffset: prefix.count)
    if header.hasChecksums {
      try opened.verify(prefix: prefix)
    } else if case .required = checksums {
      throw .checksumMissing(key: SafeTensors.fileChecksumKey)
    }
    return opened
  }

  /// Reads a tensor of 32-bit floats of this shape into `values`, which must have `shape.count` elements.
  ///
  /// Checks the tensor's checksum again, on the bytes that it delivers. After an error `values` are undefined.
  public func read(_ name: String, shape: Shape, into values: Buffer<Float>) throws(SafeTensorsError) {
    precondition(values.count == shape.count, "\(name): \(values.count) values for shape \(shape)")
    do {
      try readData(try tensor(named: name, shape: shape), into: values)
    } catch {
      throw SafeTensorsError(path: path, error)
    }
  }

  /// Throws if the file has no tensor of 32-bit floats of this name and shape.
  public func requireTensor(_ name: String, shape: Shape) throws(SafeTensorsError) {
    do {
      _ = try tensor(named: name, shape: shape)
    } catch {
      throw SafeTensorsError(path: path, error)
    }
  }

  private func tensor(named name: String, shape: Shape) throws(SafeTensorsError.Problem) -> TensorEntry {
    guard let entry = header.tensor(named: name) else { throw .tensorMissing(name) }
    guard entry.elementType == .float32 else {
      throw .elementTypeDiffers(tensor: name, expected: .float32, found: entry.elementType)
    }
    guard entry.shape == shape else { throw .shapeDiffers(tensor: name, expected: shape, found: entry.shape) }
    return entry
  }

  private func readData(_ entry: TensorEntry, into values: Buffer<Float>) throws(SafeTensorsError.Problem) {
    var hasher = SHA256Hasher()
    try forEachChunk(of: entry.bytes) { (chunk, offset) in
      hasher.update(chunk)
      let element = offset / MemoryLayout<Float>.stride
      values[element..<element + chunk.byteCount / MemoryLayout<Float>.stride].copy(fromBytes: chunk)
    }
    try requireChecksum(of: entry, found: hasher.finalize().hex)
  }

  private func requireChecksum(of entry: TensorEntry, found: String) throws(SafeTensorsError.Problem) {
    guard let expected = header.metadataValue(SafeTensors.checksumKey(of: entry.name)) else { return }
    if found != expected { throw .tensorDamaged(tensor: entry.name, expected: expected, found: found) }
  }

  /// Checks the checksums of the whole file. A damaged tensor is reported by its name, not as a damaged file.
  private func verify(prefix: [UInt8]) throws(SafeTensorsError.Problem) {
    guard let offset = header.fileChecksumOffset, let expected = header.metadataValue(SafeTensors.fileChecksumKey)
    else { return }
    var zeroed = prefix
    zeroed.replaceSubrange(8 + offset..<8 + offset + 64, with: SafeTensors.checksumPlaceholder)
    var fileHasher = SHA256Hasher()
    zeroed.withBytes { fileHasher.update($0) }
    for entry in header.tensors {
      var tensorHasher = SHA256Hasher()
      try forEachChunk(of: entry.bytes) { (chunk, _) in
        fileHasher.update(chunk)
        tensorHasher.update(chunk)
      }
      try requireChecksum(of: entry, found: tensorHasher.finalize().hex)
    }
    let found = fileHasher.finalize().hex
    if found != expected { throw .fileDamaged(expected: expected, found: found) }
  }

  /// Calls `body` with each chunk of `range`, in bytes of the data, and the chunk's offset in it.
  private func forEachChunk(
    of range: Range<Int>, _ body: (RawSpan, Int) -> Void
  ) throws(SafeTensorsError.Problem) {
    var chunk = [UInt8](repeating: 0, count: min(Self.chunkByteCount, range.count))
    var offset = 0
    while offset < range.count {
      let count = min(chunk.count, range.count - offset)
      try Self.read(file, into: &chunk, count: count, at: dataOffset + range.lowerBound + offset)
      chunk.withBytes { body($0.extracting(0..<count), offset) }
      offset += count
    }
  }

  private static func open(_ path: String) throws(SafeTensorsError.Problem) -> OpenFile {
    do { return try OpenFile(path, .read) } catch {
      throw error.code == systemNotARegularFileError ? .notARegularFile : .unreadable(code: error.code)
    }
  }

  private static func byteCount(of file: borrowing OpenFile) throws(SafeTensorsError.Problem) -> Int {
    do { return try file.byteCount() } catch { throw .unreadable(code: error.code) }
  }

  /// The file's bytes before its data. Allocates nothing for a header that is longer than the file.
  private static func headerBytes(
    of file: borrowing OpenFile, byteCount: Int
  ) throws(SafeTensorsError.Problem) -> [UInt8] {
    if byteCount < 8 { throw .tooShort(byteCount: byteCount) }
    var prefix = [UInt8](repeating: 0, count: 8)
    try read(file, into: &prefix, count: 8, at: 0)
    let declared = prefix.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    if declared > SafeTensors.headerLimit { throw .headerTooLong(declared) }
    let length = Int(declared)
    if length > byteCount - 8 { throw .headerCut(declared: length, present: byteCount - 8) }
    prefix = [UInt8](repeating: 0, count: 8 + length)
    try read(file, into: &prefix, count: 8 + length, at: 0)
    return prefix
  }

  /// Reads exactly `count` bytes. Throws if the file has shrunk since it was opened.
  private static func read(
    _ file: borrowing OpenFile, into bytes: inout [UInt8], count: Int, at offset: Int
  ) throws(SafeTensorsError.Problem) {
    do throws(SystemCallError) {
      let got = try file.read(into: &bytes, count: count, at: offset)
      if got == count { return }
      throw SystemCallError(call: .read, code: systemInputOutputError)
    } catch {
      throw .unreadable(code: error.code)
    }
  }
}
