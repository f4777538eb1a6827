import Tensors

/// Parses the JSON of a header and nothing else: an object of objects, strings and non-negative integers, in UTF-8.
///
/// A general JSON decoder would lose the order of the keys, keep one of two equal keys without a word, hide the place
/// of the file's checksum, and follow nesting as deep as a hostile file likes. This parser never recurses, and
/// allocates in proportion to the header (``JSONReader``).
struct SafeTensorsHeaderParser {
  typealias Problem = SafeTensorsError.Problem

  struct Tensor {
    let name: String
    let elementType: String
    let extents: [Int]
    let begin: Int
    let end: Int
  }

  private var json: JSONReader<Problem>
  private var tensors: [Tensor] = []
  private var metadata: [SafeTensorsHeader.MetadataEntry] = []
  private var fileChecksumOffset: Int?

  init(_ bytes: [UInt8]) { json = JSONReader(bytes) }

  mutating func parse() throws(Problem) -> (
    tensors: [Tensor], metadata: [SafeTensorsHeader.MetadataEntry], fileChecksumOffset: Int?
  ) {
    // The format wants no white space before the brace, and only spaces after its partner.
    guard json.bytes.first == UInt8(ascii: "{") else { throw expected("{") }
    var keys: Set<ExactText> = []
    try json.pass("{")
    while let key = try json.nextKey(&keys) {
      if key == SafeTensors.metadataKey {
        // null stands for no metadata.
        if json.next() == UInt8(ascii: "n") {
          try json.pass(word: "null", or: "an object")
        } else {
          try parseMetadata()
        }
      } else {
        try parseTensor(key)
      }
    }
    while json.position < json.bytes.count, json.bytes[json.position] == UInt8(ascii: " ") { json.position += 1 }
    if json.position < json.bytes.count { throw expected("only spaces after the header") }
    return (tensors, metadata, fileChecksumOffset)
  }

  private mutating func parseMetadata() throws(Problem) {
    var keys: Set<ExactText> = []
    try json.pass("{")
    while let key = try json.nextKey(&keys) {
      let start = json.position
      let value = try json.string()
      metadata.append(.init(key: key, value: value))
      guard key == SafeTensors.fileChecksumKey else { continue }
      // Its digits must stand in the file unescaped, because the checksum is computed with zeros in their place.
      guard json.position - start == 66, value.utf8.count == 64 else { throw .checksumMalformed(key: key) }
      fileChecksumOffset = start + 1
    }
  }

  private mutating func parseTensor(_ name: String) throws(Problem) {
    var elementType: String?
    var extents: [Int]?
    var offsets: [Int]?
    var keys: Set<ExactText> = []
    try json.pass("{")
    while let key = try json.nextKey(&keys) {
      switch key {
      case "dtype": elementType = try json.string()
      case "shape": extents = try integers()
      case "data_offsets": offsets = try integers()
      default: throw expected("dtype, shape or data_offsets instead of \(quoted(key))")
      }
    }
    guard let elementType, let extents, let offsets, offsets.count == 2 else {
      throw expected("dtype, shape and two data_offsets for tensor \(quoted(name))")
    }
    tensors.append(
      Tensor(name: name, elementType: elementType, extents: extents, begin: offsets[0], end: offsets[1]))
  }

  private func expected(_ what: String) -> Problem { json.expected(what) }

  /// `[integer, …]`.
  private mutating func integers() throws(Problem) -> [Int] {
    try json.pass("[")
    var numbers: [Int] = []
    while try json.hasNextElement(isFirst: numbers.isEmpty) {
      // No array has more axes, and every shape must fit in a message.
      if numbers.count == 64 { throw expected("at most 64 integers") }
      numbers.append(try integer())
    }
    return numbers
  }

  private mutating func integer() throws(Problem) -> Int {
    _ = json.next()
    let start = json.position
    var number = 0
    while json.position < json.bytes.count, (0x30...0x39).contains(json.bytes[json.position]) {
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(json.bytes[json.position] & 15))
      if overflow || carry { throw expected("an integer below 2^63") }
      number = sum
      json.position += 1
    }
    if json.position == start { throw expected("a non-negative integer") }
    if json.position - start > 1, json.bytes[start] == UInt8(ascii: "0") {
      throw expected("an integer without leading zeros")
    }
    return number
  }
}

extension SafeTensorsError.Problem: JSONFault {
  /// ``headerSyntax(offset:expected:)``.
  public static func syntax(offset: Int, expected: String) -> Self { .headerSyntax(offset: offset, expected: expected) }

  /// ``duplicateKey(_:)``.
  public static func duplicateKey(_ key: String, offset: Int) -> Self { .duplicateKey(key) }
}
