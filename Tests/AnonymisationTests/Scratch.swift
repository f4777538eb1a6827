import FoundationEssentials
import Glibc

/// A directory of its own, gone with the test, and the files that a test puts there.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/lockstep-anonymisation-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes `bytes`; returns the path. Does not wait for the disk, for there are thousands of such files.
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = "\(self.path)/\(name)"
    unsafe unlink(path)
    guard let file = unsafe fopen(path, "w") else { throw CocoaError(.fileWriteUnknown) }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, written == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    return path
  }

  func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }
}
