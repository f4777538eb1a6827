import Checkpoints
import FoundationEssentials
import Testing

@Suite struct GrowingFileTests {
  let directory: TemporaryDirectory
  let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("records")
  }

  private func text() throws -> String { String(decoding: try bytes(of: path), as: UTF8.self) }

  @Test func beginsAnewAndGrows() throws {
    try write("of another run".utf8, to: path)
    var file = GrowingFile(path)
    #expect(try text() == "of another run")
    try file.append(Array("one\n".utf8))
    try file.append(Array("two\n".utf8))
    #expect(try text() == "one\ntwo\n")
    #expect(try directory.names() == ["records"])
  }

  @Test func goesOnAndReplaces() throws {
    try write("one\ntwo\n".utf8, to: path)
    var file = GrowingFile(path, holding: 8)
    try file.append(Array("three\n".utf8))
    #expect(try text() == "one\ntwo\nthree\n")
    var other = GrowingFile(path, replacedBy: Array("one\n".utf8))
    try other.append(Array("2\n".utf8))
    #expect(try text() == "one\n2\n")
  }

  /// A killed write leaves any part of its record.
  @Test(arguments: 0...4)
  func cutsOffWhatIsNoWholeRecord(_ left: Int) throws {
    try write(Array("one\n".utf8) + Array("two\n".utf8).prefix(left), to: path)
    var file = GrowingFile(path, holding: 4)
    try file.append(Array("2\n".utf8))
    #expect(try text() == "one\n2\n")
  }

  @Test func whatCouldNotBeWrittenWaits() throws {
    var file = GrowingFile(path)
    try file.append(Array("one\n".utf8))
    let aside = directory.file("aside")
    try FileManager.default.moveItem(atPath: path, toPath: aside)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(throws: FileWriteError.self) { try file.append(Array("two\n".utf8)) }
    #expect(throws: FileWriteError.self) { try file.append(Array("three\n".utf8)) }
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: aside, toPath: path)
    try file.finish()
    #expect(try text() == "one\ntwo\nthree\n")
    try file.append(Array("four\n".utf8))
    try file.finish()
    #expect(try text() == "one\ntwo\nthree\nfour\n")
  }

  /// Somebody has emptied the file, or cut it within a record or behind one.
  @Test(arguments: [("", ""), ("on", "on\n"), ("one\n", "one\n"), ("one\nt", "one\nt\n")])
  func aFileThatWasCutIsGoneOnWith(left: String, kept: String) throws {
    var file = GrowingFile(path)
    try file.append(Array("one\ntwo\n".utf8))
    try write(left.utf8, to: path)
    try file.append(Array("three\n".utf8))
    #expect(try text() == kept + "three\n")
    try file.append(Array("four\n".utf8))
    #expect(try text() == kept + "three\nfour\n")
  }

  @Test func aFileThatWasRemovedIsBegunAnew() throws {
    var file = GrowingFile(path, holding: 4)
    try file.append(Array("two\n".utf8))
    #expect(try text() == "two\n")
    try FileManager.default.removeItem(atPath: path)
    try file.append(Array("three\n".utf8))
    try file.append(Array("four\n".utf8))
    #expect(try text() == "three\nfour\n")
  }

  /// A binary file has its header once, no line breaks of ours, and nothing behind a cut.
  @Test func aBinaryFileThatWasCutOrRemovedIsBegunAnew() throws {
    try write("of another run".utf8, to: path)
    var file = GrowingFile(path, binaryAfter: [0, 1])
    try file.append([2])
    try file.append([3, 4])
    #expect(try bytes(of: path) == [0, 1, 2, 3, 4])
    try write([0, 1, 2, 3, 4, 9] as [UInt8], to: path)
    try file.append([5])
    #expect(try bytes(of: path) == [0, 1, 2, 3, 4, 5])
    try write([0, 1, 2] as [UInt8], to: path)
    try file.append([6])
    #expect(try bytes(of: path) == [0, 1, 6])
    try FileManager.default.removeItem(atPath: path)
    try file.append([7])
    try file.append([8])
    #expect(try bytes(of: path) == [0, 1, 7, 8])
    #expect(try directory.names() == ["records"])
  }

  @Test func aPipeIsRefused() throws {
    try makePipe(path)
    var file = GrowingFile(path, holding: 0)
    let failure = try #require(throws: FileWriteError.self) { try file.append(Array("one\n".utf8)) }
    #expect(
      failure.description
        == "cannot write \(path): open: Not a regular file; remove what has the file's name or write to another directory"
    )
  }

  @Test func aLinkIsNotFollowed() throws {
    let victim = directory.file("victim")
    try write("precious".utf8, to: victim)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: victim)
    var file = GrowingFile(path, holding: 0)
    #expect(throws: FileWriteError.self) { try file.append(Array("one\n".utf8)) }
    #expect(try bytes(of: victim) == Array("precious".utf8))
  }
}
