import Exchange
import Testing

struct EventRecordTests {
  /// The vectors of RFC 3720, appendix B.4, and the usual check.
  @Test func checksums() {
    func checksum(_ bytes: [UInt8]) -> UInt32 { CRC32C.checksum(of: bytes[...]) }
    #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(checksum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum(Array(0..<32)) == 0x46DD_794E)
    #expect(checksum([]) == 0)
  }

  /// The bytes are those that TensorBoard's RecordWriter writes of `b"abc"`.
  @Test func theFrame() {
    let frame: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0, 0xB0, 0x99, 0x49, 0x0E, 0x61, 0x62, 0x63, 0x6E, 0x57, 0xF1, 0x21]
    #expect(EventRecord.framed(Array("abc".utf8)) == frame)
  }

  @Test func readingEndsAtTheFirstRecordThatIsNotWhole() {
    let records = [[1, 2, 3], [], [4]].map { EventRecord.framed($0) }
    let file = Array(records.joined())
    #expect(EventRecord.contents(of: file).map(Array.init) == [[1, 2, 3], [], [4]])
    let ends = [0, records[0].count, records[0].count + records[1].count, file.count]
    for count in 0...file.count {
      let whole = ends.lastIndex { $0 <= count } ?? 0
      #expect(EventRecord.contents(of: Array(file[..<count])).count == whole, "\(count) bytes")
    }
    for index in file.indices {
      var damaged = file
      damaged[index] ^= 0x80
      let before = ends.dropFirst().filter { $0 <= index }.count
      #expect(EventRecord.contents(of: damaged).count == before, "byte \(index)")
    }
  }

  @Test func theHeadOfAnEvent() throws {
    func head(_ step: Int, _ content: TensorBoardEvent.Content) throws -> TensorBoardEvent.Head? {
      let record = TensorBoardEvent(time: 1.5, step: step, content).record
      return TensorBoardEvent.Head(of: try #require(EventRecord.contents(of: record).first))
    }
    for step in [0, 1, 127, 128, 300, 1 << 40] {
      let scalars = try #require(try head(step, .values([.scalar("train/loss", 2), .scalar("epoch", 1)])))
      #expect(scalars.step == step && scalars.firstTag == "train/loss")
      let start = try #require(try head(step, .start))
      #expect(start.step == step && start.firstTag == nil)
    }
    let version = try #require(try head(0, .version))
    #expect(version.step == 0 && version.firstTag == nil)
    for bytes in [[], [9], [9, 0, 0, 0, 0, 0, 0, 0, 0], [8, 1], [9, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x80]] as [[UInt8]] {
      #expect(TensorBoardEvent.Head(of: bytes[...]) == nil, "\(bytes)")
    }
  }
}
