import Checkpoints
import FoundationEssentials
import Testing

@Suite struct AtomicFileTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func save(_ text: String, to path: String) throws(FileWriteError) {
    try AtomicFile.write(Array(text.utf8), to: path)
  }

  @Test func namesItsTemporary() {
    #expect(AtomicFile.temporaryPath(for: "runs/a/step.safetensors") == "runs/a/.step.safetensors.tmp")
    #expect(AtomicFile.temporaryPath(for: "step") == ".step.tmp")
    #expect(AtomicFile.temporaryPath(for: "/step") == "/.step.tmp")
  }

  @Test func replacesTheOldFile() throws {
    let path = directory.file("file")
    try save("old and longer", to: path)
    try save("new", to: path)
    #expect(try bytes(of: path) == Array("new".utf8))
    #expect(try directory.names() == ["file"])
  }

  @Test func writesOverALeftoverWithoutFollowingLinks() throws {
    let path = directory.file("file")
    try write("left over".utf8, to: AtomicFile.temporaryPath(for: path))
    try save("new", to: path)
    #expect(try bytes(of: path) == Array("new".utf8))

    let victim = directory.file("victim")
    try write("precious".utf8, to: victim)
    try FileManager.default.createSymbolicLink(
      atPath: AtomicFile.temporaryPath(for: path), withDestinationPath: victim)
    #expect(throws: FileWriteError.self) { try save("newer", to: path) }
    #expect(try bytes(of: victim) == Array("precious".utf8))
    #expect(try bytes(of: path) == Array("new".utf8))
    try save("newer", to: path)
    #expect(try bytes(of: path) == Array("newer".utf8))
  }

  @Test func aPipeUnderTheTemporaryNameIsRefused() throws {
    let path = directory.file("file")
    try makePipe(AtomicFile.temporaryPath(for: path))
    #expect(throws: FileWriteError.self) { try save("new", to: path) }
    try save("new", to: path)
    #expect(try bytes(of: path) == Array("new".utf8))
  }

  @Test func keepsTheOldFileWhenTheContentsFail() throws {
    let path = directory.file("file")
    try save("old", to: path)
    let failure = try #require(throws: FileWriteError.self) { try save("x", to: directory.file("no/file")) }
    #expect(throws: failure) {
      try AtomicFile.write(to: path) { (file) throws(FileWriteError) in
        try file.write([1, 2, 3])
        throw failure
      }
    }
    #expect(try bytes(of: path) == Array("old".utf8))
    #expect(try directory.names() == ["file"])
  }

  @Test func reportsOneLine() throws {
    let missing = directory.file("no/file")
    let failure = try #require(throws: FileWriteError.self) { try save("x", to: missing) }
    #expect(failure.operation == .open)
    #expect(
      failure.description
        == "cannot write \(missing): open: No such file or directory; check the directory's name")

    let occupied = directory.file("occupied")
    try FileManager.default.createDirectory(atPath: occupied + "/inside", withIntermediateDirectories: true)
    let renaming = try #require(throws: FileWriteError.self) { try save("x", to: occupied) }
    #expect(renaming.operation == .rename)
    #expect(try directory.names() == ["occupied"])
  }
}
