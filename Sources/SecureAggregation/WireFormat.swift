/// Writes a message: little-endian integers and bytes, one behind the other.
struct WireWriter {
  private(set) var bytes: [UInt8]

  /// A message of `kind` in `round`. `room` is the number of bytes that follow, if many do.
  init(_ kind: MessageKind, round: Int, room: Int = 0) {
    bytes = []
    bytes.reserveCapacity(5 + room)
    bytes.append(kind.rawValue)
    put(round)
  }

  /// An integer below 2³².
  mutating func put(_ number: Int) { put(UInt32(number)) }

  mutating func put(_ word: UInt32) {
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
  }

  mutating func put(_ word: UInt64) {
    put(UInt32(truncatingIfNeeded: word))
    put(UInt32(truncatingIfNeeded: word >> 32))
  }

  /// Bytes whose number the reader knows.
  mutating func put(_ more: [UInt8]) { bytes += more }

  /// How many, and then each.
  mutating func put(clients: [Int]) {
    put(clients.count)
    for client in clients { put(client) }
  }
}

/// The first byte of a message.
enum MessageKind: UInt8 {
  case setup = 1
  case advertisedKeys, keyRoster, encryptedShares, deliveredShares, maskedUpdate, unmaskRequest, revealedShares
}

/// Reads a message. Nothing is made room for before the bytes are there that it is to hold.
struct WireReader {
  private let bytes: [UInt8]
  private var position = 0
  /// The round that the message is of.
  private(set) var round = 0

  init(_ bytes: [UInt8], _ kind: MessageKind) throws(AggregationError) {
    self.bytes = bytes
    let first = try byte()
    guard first == kind.rawValue else {
      throw .malformed("a message begins with \(first) in the place of \(kind.rawValue)")
    }
    round = try number()
  }

  mutating func byte() throws(AggregationError) -> UInt8 {
    try expect(1)
    defer { position += 1 }
    return bytes[position]
  }

  mutating func word() throws(AggregationError) -> UInt32 {
    try expect(4)
    defer { position += 4 }
    return UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2]) << 16
      | UInt32(bytes[position + 3]) << 24
  }

  mutating func longWord() throws(AggregationError) -> UInt64 { UInt64(try word()) | UInt64(try word()) << 32 }

  mutating func number() throws(AggregationError) -> Int { Int(try word()) }

  mutating func bytes(_ count: Int) throws(AggregationError) -> [UInt8] {
    try expect(count)
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// How many entries of at least `size` bytes follow.
  mutating func count(ofSize size: Int) throws(AggregationError) -> Int {
    let count = try number()
    try expect(count * size)
    return count
  }

  /// Clients, each greater than the one before.
  mutating func clients() throws(AggregationError) -> [Int] {
    let count = try count(ofSize: 4)
    var clients: [Int] = []
    for _ in 0..<count { try append(try number(), to: &clients) }
    return clients
  }

  /// Adds a client to a list that must rise.
  func append(_ client: Int, to clients: inout [Int]) throws(AggregationError) {
    if let last = clients.last, last >= client {
      throw .malformed("a message has client \(client) behind client \(last)")
    }
    clients.append(client)
  }

  /// Throws if there are bytes left.
  func end() throws(AggregationError) {
    guard position == bytes.count else {
      throw .malformed("a message has \(bytes.count - position) bytes too many")
    }
  }

  private func expect(_ count: Int) throws(AggregationError) {
    guard bytes.count - position >= count else {
      throw .malformed("a message of \(bytes.count) bytes ends too early: \(count) more are needed at byte \(position)")
    }
  }
}
