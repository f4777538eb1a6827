import Exchange
import Testing

struct PerfettoTraceTests {
  /// The fields of a message, by number: varints as they are, contents as bytes.
  private func fields(_ bytes: [UInt8]) -> [(number: Int, value: UInt64, content: [UInt8])] {
    var (found, at) = ([(number: Int, value: UInt64, content: [UInt8])](), 0)
    func varint() -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while true {
        value |= UInt64(bytes[at] & 0x7F) << shift
        shift += 7
        at += 1
        if bytes[at - 1] & 0x80 == 0 { return value }
      }
    }
    while at < bytes.count {
      let tag = varint()
      if tag & 7 == 0 {
        found.append((Int(tag >> 3), varint(), []))
      } else {
        let length = Int(varint())
        found.append((Int(tag >> 3), 0, Array(bytes[at..<at + length])))
        at += length
      }
    }
    return found
  }

  @Test func slicesBeginAndEndInOrder() {
    var trace = PerfettoTrace()
    let host = trace.addTrack("node1")
    let slices: [PerfettoTrace.Slice] = [
      .init("inner", start: 10, end: 20), .init("second", start: 20, end: 40), .init("outer", start: 10, end: 40),
      .init("empty", start: 40, end: 40), .init("after", start: 40, end: 50),
    ]
    #expect(trace.addTrack("rank 0", below: host, slices) == 2)
    let packets = fields(trace.bytes).map { fields($0.content) }
    let events = packets.compactMap { packet -> String? in
      guard let event = packet.first(where: { $0.number == 11 }), let time = packet.first(where: { $0.number == 8 })
      else {
        return nil
      }
      let parts = fields(event.content)
      let track = parts.first(where: { $0.number == 11 })?.value
      #expect(track == 2)
      let name = parts.first { $0.number == 23 }.map { String(decoding: $0.content, as: UTF8.self) } ?? "end"
      return "\(time.value) \(name)"
    }
    #expect(
      events == [
        "10 outer", "10 inner", "20 end", "20 second", "40 end", "40 end", "40 after", "40 empty", "40 end", "50 end",
      ])
    #expect(packets.count == 12 && packets.allSatisfy { $0.last?.number == 10 })
  }
}
