import Tensors

/// A run directory that cannot be used.
///
/// The program exits with 73 (cannot create) on it.
public enum RunDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It cannot be created or written to.
  case unwritable(FileWriteError)
  /// Another process has it; `holder` is what that process wrote into the lock file: "process 4711 on node07".
  case locked(path: String, holder: String)
  /// The file `lock` that this process holds was removed or replaced: another may hold the directory now.
  case lockLost(path: String)

  /// One line: the directory, what is wrong and what to do.
  public var description: String {
    switch self {
    case .unwritable(let error): error.description
    case .locked(let path, let holder):
      "\(path): in use by another job (\(holder)); wait for it to end, or give another \(Setting.directory)"
    case .lockLost(let path):
      "\(path): its file lock was removed or replaced while this job held it, so another job may write there; see that none "
        + "does, then run the same command again: it goes on from the newest checkpoint"
    }
  }
}

/// A directory of one run, held by this process alone until the object goes or the process dies.
///
/// The lock is the kernel's, on the file `lock` in the directory: one left by a killed process holds nobody up. The file
/// itself stays, since removing it would let two processes lock two files of one name; one that somebody else removes is noticed
/// (``requireLock()``).
public final class RunDirectory: Sendable {
  /// The directory, as it was given.
  public let path: String
  private let lock: OpenFile

  /// Where the checkpoints are.
  public var checkpoints: String { file("checkpoints") }

  /// Creates the directory, with those above it, where it is missing, and takes its lock.
  public init(_ path: String) throws(RunDirectoryError) {
    self.path = path
    let lockPath = "\(path)/lock"
    do throws(FileWriteError) { try createDirectories(path) } catch { throw .unwritable(error) }
    do throws(SystemCallError) {
      var file = try OpenFile(lockPath, .update)
      var isLocked = try file.lock()
      // Whoever removed the file in between lets others lock a new one of its name: that one counts.
      while isLocked, !(try file.isNamed(lockPath)) {
        file = try OpenFile(lockPath, .update)
        isLocked = try file.lock()
      }
      lock = file
      if isLocked {
        try lock.truncate(to: 0)
        let line = Array("process \(processNumber()) on \(hostName())\n".utf8)
        try line.withBytes { (bytes) throws(SystemCallError) in try lock.write(bytes) }
        return
      }
    } catch {
      throw .unwritable(FileWriteError(path: lockPath, error))
    }
    throw .locked(path: path, holder: Self.holder(lock))
  }

  /// Throws where the file `lock` is no longer the one that this process holds: whoever finds none takes a new one, and two jobs would
  /// write here. A directory that is itself gone, or cannot be looked at, is for the next write to report.
  public func requireLock() throws(RunDirectoryError) {
    do throws(SystemCallError) {
      let path = file("lock")
      if try lock.isNamed(path) || !isDirectory(self.path) { return }
    } catch {
      return
    }
    throw .lockLost(path: path)
  }

  /// The path of a file of this name in the directory.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The lock file's one line; it is empty for the moment between the holder's locking and its writing.
  private static func holder(_ lock: borrowing OpenFile) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    do throws(SystemCallError) {
      let count = try lock.read(into: &bytes, count: bytes.count, at: 0)
      let line = bytes[..<count].prefix { $0 >= 0x20 && $0 < 0x7F }
      if !line.isEmpty { return String(decoding: line, as: UTF8.self) }
    } catch {}
    return "which has not written its name yet"
  }
}

/// Creates the directory at `path` with those above it, durably, where they are missing.
func createDirectories(_ path: String) throws(FileWriteError) {
  guard path.utf8.count < systemPathLimit else {
    throw FileWriteError(path: path, SystemCallError(call: .createDirectory, code: systemNameTooLongError))
  }
  var missing: [String] = []
  var next = path
  while !isDirectory(next) {
    missing.append(next)
    let parent = parentDirectory(of: next)
    if parent == next { break }
    next = parent
  }
  for path in missing.reversed() {
    try writing(path) { () throws(SystemCallError) in
      if try makeDirectory(path) {
        try OpenFile(parentDirectory(of: path), .directory).synchronizeDirectory()
      } else if !isDirectory(path) {
        throw SystemCallError(call: .createDirectory, code: systemNotADirectoryError)
      }
    }
  }
}
