import Tensors

/// A file's header: its tensors in the order of their data, and its metadata in the order of the file.
public struct SafeTensorsHeader: Hashable, Sendable {
  /// One entry of the metadata.
  public struct MetadataEntry: Hashable, Sendable {
    /// The key, unique in the metadata.
    public let key: String
    /// The value.
    public let value: String
  }

  /// The tensors in the order of their data. They cover it without hole or overlap.
  public let tensors: [TensorEntry]
  /// The metadata, checksums included.
  public let metadata: [MetadataEntry]
  /// The offset in the header's bytes of the 64 digits of the whole file's checksum; nil if it has none.
  let fileChecksumOffset: Int?
  private let tensorIndices: [ExactText: Int]
  private let metadataIndices: [ExactText: Int]

  /// Parses and checks a header.
  ///
  /// - Parameters:
  ///   - json: the header's bytes, without the 8 bytes of its length.
  ///   - dataByteCount: the number of bytes that follow the header.
  public init(json: [UInt8], dataByteCount: Int) throws(SafeTensorsError.Problem) {
    var parser = SafeTensorsHeaderParser(json)
    let parsed = try parser.parse()
    metadata = parsed.metadata
    metadataIndices = Dictionary(uniqueKeysWithValues: metadata.enumerated().map { (ExactText($1.key), $0) })

    var entries: [TensorEntry] = []
    entries.reserveCapacity(parsed.tensors.count)
    for tensor in parsed.tensors { entries.append(try Self.checked(tensor)) }
    // A tensor without elements takes no bytes, and may begin where another begins.
    entries.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
    var end = 0
    for entry in entries {
      let begin = entry.bytes.lowerBound
      if begin < end { throw .overlap(tensor: entry.name, begin: begin, previousEnd: end) }
      if begin > end { throw .hole(tensor: entry.name, begin: begin, previousEnd: end) }
      end = entry.bytes.upperBound
    }
    if end > dataByteCount { throw .dataCut(needed: end, present: dataByteCount) }
    if end < dataByteCount { throw .trailingBytes(count: dataByteCount - end) }
    tensors = entries
    tensorIndices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { (ExactText($1.name), $0) })
    fileChecksumOffset = parsed.fileChecksumOffset
    try checkChecksums()
  }

  /// The tensor of this name, byte for byte.
  public func tensor(named name: String) -> TensorEntry? { tensorIndices[ExactText(name)].map { tensors[$0] } }

  /// The metadata's value for `key`, byte for byte.
  public func metadataValue(_ key: String) -> String? { metadataIndices[ExactText(key)].map { metadata[$0].value } }

  /// Whether the file carries the checksums of ``SafeTensors``.
  public var hasChecksums: Bool { fileChecksumOffset != nil }

  private static func checked(
    _ tensor: SafeTensorsHeaderParser.Tensor
  ) throws(SafeTensorsError.Problem) -> TensorEntry {
    let name = tensor.name
    guard let elementType = ElementType(rawValue: tensor.elementType) else {
      throw .unknownElementType(tensor: name, type: tensor.elementType)
    }
    var byteCount = elementType.byteCount
    for extent in tensor.extents {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
      if overflow { throw .sizeOverflow(tensor: name) }
      byteCount = product
    }
    let shape = Shape(tensor.extents)
    guard tensor.begin <= tensor.end, tensor.end - tensor.begin == byteCount else {
      throw .sizeDiffers(tensor: name, shape: shape, needed: byteCount, begin: tensor.begin, end: tensor.end)
    }
    return TensorEntry(name: name, elementType: elementType, shape: shape, bytes: tensor.begin..<tensor.end)
  }

  /// Throws unless the file has all checksums or none, each 64 digits long and of a tensor that the file has.
  private func checkChecksums() throws(SafeTensorsError.Problem) {
    var count = 0
    for entry in metadata where SafeTensors.isChecksumKey(entry.key) {
      let digits = entry.value.utf8
      let isHexadecimal = digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
      guard digits.count == 64, isHexadecimal else { throw .checksumMalformed(key: entry.key) }
      count += 1
    }
    guard count > 0 else { return }
    guard metadataValue(SafeTensors.fileChecksumKey) != nil else {
      throw .checksumMissing(key: SafeTensors.fileChecksumKey)
    }
    for tensor in tensors where metadataValue(SafeTensors.checksumKey(of: tensor.name)) == nil {
      throw .checksumMissing(key: SafeTensors.checksumKey(of: tensor.name))
    }
    if count != tensors.count + 1 {
      for entry in metadata {
        if let name = SafeTensors.tensor(ofChecksumKey: entry.key), tensor(named: name) == nil {
          throw .checksumMalformed(key: entry.key)
        }
      }
    }
  }
}
