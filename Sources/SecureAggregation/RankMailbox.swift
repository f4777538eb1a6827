import Collectives
import Privacy
import Tensors

/// Carries bytes between rank 0 and the others, and to nobody else. Both methods are collective.
struct RankMailbox {
  let communicator: any Communicator

  /// The bytes of every rank, on rank 0; nothing on the others.
  func toFirst(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    var counts = WireCounts()
    counts.append(bytes.count)
    let all = try communicator.gather(counts.bytes).map { WireCounts($0).numbers[0] }
    guard communicator.rank == 0 else {
      let words = packed(bytes)
      try communicator.exchange(plan(sends: [(0, words.count)], receives: []), from: words, into: words)
      return []
    }
    let incoming = (1..<communicator.size).map { (peer: $0, count: wordCount(all[$0])) }
    let words = Buffer<Float>(count: incoming.reduce(0) { $0 + $1.count })
    try communicator.exchange(plan(sends: [], receives: incoming), from: words, into: words)
    var messages = [bytes]
    var start = 0
    for (peer, count) in incoming {
      messages.append(unpacked(words[start..<start + count], count: all[peer]))
      start += count
    }
    return messages
  }

  /// This rank's entry of rank 0's `messages`, which are one for each rank. On other ranks they count for nothing.
  func fromFirst(_ messages: [[UInt8]]) throws(CommunicationError) -> [UInt8] {
    var counts = WireCounts()
    if communicator.rank == 0 { for message in messages { counts.append(message.count) } }
    let sizes = WireCounts(try communicator.gather(counts.bytes)[0]).numbers
    guard communicator.rank == 0 else {
      let words = Buffer<Float>(count: wordCount(sizes[communicator.rank]))
      try communicator.exchange(plan(sends: [], receives: [(0, words.count)]), from: words, into: words)
      return unpacked(words, count: sizes[communicator.rank])
    }
    let outgoing = (1..<communicator.size).map { (peer: $0, count: wordCount(sizes[$0])) }
    let words = Buffer<Float>(count: outgoing.reduce(0) { $0 + $1.count })
    var start = 0
    for (peer, count) in outgoing {
      words[start..<start + count].copy(from: packed(messages[peer]))
      start += count
    }
    try communicator.exchange(plan(sends: outgoing, receives: []), from: words, into: words)
    return messages[0]
  }

  private func plan(sends: [(peer: Int, count: Int)], receives: [(peer: Int, count: Int)]) -> ExchangePlan {
    func transfers(_ parts: [(peer: Int, count: Int)]) -> [ExchangePlan.Transfer] {
      var start = 0
      return parts.compactMap { part in
        defer { start += part.count }
        return part.count > 0 ? ExchangePlan.Transfer(peer: part.peer, range: start..<start + part.count) : nil
      }
    }
    return ExchangePlan(sends: transfers(sends), receives: transfers(receives))
  }

  private func wordCount(_ bytes: Int) -> Int { (bytes + 3) / 4 }

  /// Four bytes a float. An exchange moves floats without looking at them.
  private func packed(_ bytes: [UInt8]) -> Buffer<Float> {
    let words = Buffer<Float>(count: wordCount(bytes.count))
    WordVector(littleEndian: bytes).writeBits(words)
    return words
  }

  private func unpacked(_ words: Buffer<Float>, count: Int) -> [UInt8] {
    var bytes = WordVector(bits: words).littleEndianBytes
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

/// Numbers as eight bytes each.
private struct WireCounts {
  private(set) var bytes: [UInt8] = []

  init() {}

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func append(_ number: Int) { bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

  var numbers: [Int] {
    (0..<bytes.count / 8).map { index in (0..<8).reduce(0) { $0 | Int(bytes[8 * index + $1]) << (8 * $1) } }
  }
}
