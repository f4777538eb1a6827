import CZlib
import FoundationEssentials
import Glibc

/// A directory of a test's own, removed with it, and the files that a test puts there.
final class Scratch {
  let directory: String

  init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/lockstep-datasets-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Writes `bytes` as they are; returns the path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    // Not by Data.write, which waits for the disk: the mutation tests write thousands of files.
    // A file cut to nothing and written anew is flushed by ext4 when it is closed; a new one is not.
    unsafe unlink(path(name))
    guard let file = unsafe fopen(path(name), "w") else { throw CocoaError(.fileWriteUnknown) }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, written == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    return path(name)
  }
}

/// `bytes` as a gzip stream.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
  let scratch = try Scratch()
  let file = unsafe gzopen(scratch.path("packed"), "wb9")
  unsafe gzwrite(file, bytes, UInt32(bytes.count))
  unsafe gzclose(file)
  return [UInt8](try Data(contentsOf: URL(filePath: scratch.path("packed"))))
}

/// An IDX file: its header for `extents`, then `elements`.
func idx(_ extents: [UInt32], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
  [0, 0, type, UInt8(extents.count)]
    + extents.flatMap { extent in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) } } + elements
}
