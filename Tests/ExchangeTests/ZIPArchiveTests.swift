import Exchange
import Foundation
import Testing

struct ZIPArchiveTests {
  private static let entries: [(name: String, content: [UInt8])] = [
    ("a.txt", Array("hello".utf8)), ("empty", []), ("größe/b", [UInt8](0...255) + [UInt8](repeating: 7, count: 5000)),
  ]

  private static var bytes: [UInt8] {
    var archive = ZIPArchive()
    var bytes: [UInt8] = []
    for (name, content) in entries {
      bytes += archive.header(of: name, checksum: CRC32(of: content).value, count: content.count) + content
    }
    return bytes + archive.end
  }

  @Test func sizeIsKnownBefore() {
    #expect(ZIPArchive.size(of: Self.entries.map { ($0.name, $0.content.count) }) == Self.bytes.count)
    #expect(ZIPArchive().end.count == 22 && ZIPArchive.size(of: []) == 22)
  }

  /// The first entry byte by byte, by APPNOTE 4.3.7.
  @Test func header() {
    var archive = ZIPArchive()
    let expected: [UInt8] =
      [0x50, 0x4B, 3, 4, 20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0] + [0x86, 0xA6, 0x10, 0x36] + [5, 0, 0, 0, 5, 0, 0, 0]
      + [5, 0, 0, 0] + Array("a.txt".utf8)
    #expect(archive.header(of: "a.txt", checksum: 0x3610_A686, count: 5) == expected)
    #expect(CRC32(of: Array("hello".utf8)).value == 0x3610_A686)
  }

  /// Python's own reader finds names, contents and right checksums.
  @Test func pythonReadsIt() throws {
    let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).zip"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.bytes).write(to: URL(fileURLWithPath: path))
    let script = """
      import sys, zipfile
      archive = zipfile.ZipFile(sys.argv[1])
      assert archive.testzip() is None
      print([(entry.filename, entry.date_time[0], archive.read(entry)[:5]) for entry in archive.infolist()])
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, path]
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONIOENCODING": "utf-8"]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let zeros = "b'\\x00\\x01\\x02\\x03\\x04'"
    #expect(output == "[('a.txt', 1980, b'hello'), ('empty', 1980, b''), ('größe/b', 1980, \(zeros))]\n")
  }
}
