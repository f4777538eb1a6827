import FoundationEssentials
import Glibc
import Testing

/// A directory that goes with its owner.
final class TemporaryDirectory {
  let path: String

  init() throws {
    let name = "lockstep-\(UUID().uuidString)"
    path = FileManager.default.temporaryDirectory.appending(path: name).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The names in it, in order.
  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// Makes a named pipe, which whoever opens it without care waits at for ever.
func makePipe(_ path: String) throws { try #require(unsafe mkfifo(path, 0o666) == 0) }

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
  try Data(bytes).write(to: URL(filePath: path))
}
