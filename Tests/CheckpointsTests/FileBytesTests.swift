import Checkpoints
import FoundationEssentials
import Testing

@Suite struct FileBytesTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func filesUpToTheLimit() throws {
    let path = directory.file("file")
    for count in [0, 1, 10] {
      try write([UInt8](repeating: 7, count: count), to: path)
      #expect(try fileBytes(path, limit: 10) == [UInt8](repeating: 7, count: count))
    }
    try write([UInt8](repeating: 7, count: 11), to: path)
    let error = #expect(throws: FileReadError.self) { try fileBytes(path, limit: 10) }
    #expect(error?.description == "\(path): has 11 bytes; the most is 10" && error?.fileIsMissing == false)
  }

  @Test func whatIsNoFile() throws {
    let pipe = directory.file("pipe")
    try makePipe(pipe)
    for path in [pipe, directory.path, "/dev/zero"] {
      let error = #expect(throws: FileReadError.self) { try fileBytes(path, limit: 10) }
      #expect(error?.fileIsMissing == false)
    }
    for path in [directory.file("none"), "\(pipe)/none", "/\(String(repeating: "x", count: 10_000))"] {
      let error = #expect(throws: FileReadError.self) { try fileBytes(path, limit: 10) }
      #expect(error?.fileIsMissing == true && error?.description.hasSuffix("; check the name") == true)
    }
  }

  /// Of two long values the line shows where they begin to differ.
  @Test func differencesOfLongValues() {
    let long = String(repeating: "same ", count: 1000)
    func line(_ saved: String, _ current: String) -> String? {
      (["layers": current] as Fingerprint).differences(from: ["layers": saved]).first?.description
    }
    let shared = String(long.suffix(30))
    #expect(
      line(long + "first" + long, long + "other")
        == "layers is \"…\(shared)first\(String(long.prefix(39)))…\" there and "
        + "\"…\(shared)other\" here")
    #expect(line("\(long)a", long)?.hasSuffix("\"…\(shared)\" here") == true)
    #expect(line("a", "b") == "layers is a there and b here")
  }
}
