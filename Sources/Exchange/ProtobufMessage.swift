/// A message in Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), which is written and never read.
///
/// Fields stand in the order in which they were added. A field is named by its number in the `.proto` file that describes the message.
public struct ProtobufMessage: Sendable {
  /// The message as it stands in a file.
  public private(set) var bytes: [UInt8] = []

  /// A message without fields.
  public init() {}

  /// A message of the fields that `fill` adds.
  public init(_ fill: (inout ProtobufMessage) -> Void) { fill(&self) }

  /// Adds an integer: of a field of type int32, int64, uint32, uint64, bool or of an enumeration.
  public mutating func add(_ field: Int, _ value: some BinaryInteger) {
    tag(field, wireType: 0)
    varint(UInt64(truncatingIfNeeded: value))
  }

  /// Adds a truth value.
  public mutating func add(_ field: Int, _ value: Bool) { add(field, value ? 1 : 0) }

  /// Adds a number of type double.
  public mutating func add(_ field: Int, _ value: Double) {
    tag(field, wireType: 1)
    bytes += value.bitPattern.littleEndianBytes
  }

  /// Adds a number of type float.
  public mutating func add(_ field: Int, _ value: Float) {
    tag(field, wireType: 5)
    bytes += value.bitPattern.littleEndianBytes
  }

  /// Adds an integer of type fixed64.
  public mutating func add(_ field: Int, fixed value: UInt64) {
    tag(field, wireType: 1)
    bytes += value.littleEndianBytes
  }

  /// Adds a text.
  public mutating func add(_ field: Int, _ text: String) { add(field, bytes: Array(text.utf8)) }

  /// Adds bytes.
  public mutating func add(_ field: Int, bytes content: [UInt8]) {
    tag(field, wireType: 2)
    varint(UInt64(content.count))
    bytes += content
  }

  /// Adds a message inside this one.
  public mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, bytes: message.bytes) }

  /// Adds integers, packed.
  public mutating func add(_ field: Int, packed values: [some BinaryInteger]) {
    var content = ProtobufMessage()
    for value in values { content.varint(UInt64(truncatingIfNeeded: value)) }
    add(field, content)
  }

  /// Adds numbers of type double, packed.
  public mutating func add(_ field: Int, packed values: [Double]) {
    var content = ProtobufMessage()
    for value in values { content.bytes += value.bitPattern.littleEndianBytes }
    add(field, content)
  }

  /// Adds numbers of type float, packed: or bytes that hold them, the lowest byte of each first.
  public mutating func add(_ field: Int, packed values: [Float]) {
    var content = ProtobufMessage()
    content.bytes.reserveCapacity(4 * values.count)
    for value in values { content.bytes += value.bitPattern.littleEndianBytes }
    add(field, content)
  }

  private mutating func tag(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
