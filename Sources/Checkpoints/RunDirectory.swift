/// The directory of one run, held by this process alone until the object is released or the process dies.
///
/// The lock is the kernel's, on the file `lock` in the directory. If the process is killed, the kernel frees it. The file
/// stays: if it were removed, two processes could lock two files of one name. ``requireLock()`` notices if somebody
/// else removes it.
public final class RunDirectory: Sendable {
  /// The directory, as it was given.
  public let path: String
  private let lock: OpenFile

  /// The directory of the checkpoints.
  public var checkpoints: String { file("checkpoints") }

  /// Takes the lock of the directory at `path`, and creates it and those above it if they are missing.
  public init(_ path: String) throws(RunDirectoryError) {
    self.path = path
    let lockPath = "\(path)/lock"
    do { try createDirectories(path) } catch { throw .unwritable(error) }
    do {
      var file = try OpenFile(lockPath, .update)
      var isLocked = try file.lock()
      // If the file was removed in between, others may lock a new one of its name: that one counts.
      while isLocked, !(try file.isNamed(lockPath)) {
        file = try OpenFile(lockPath, .update)
        isLocked = try file.lock()
      }
      lock = file
      if isLocked {
        try lock.truncate(to: 0)
        try lock.write(Array("process \(processNumber()) on \(hostName())\n".utf8))
        return
      }
    } catch {
      throw .unwritable(FileWriteError(path: lockPath, error))
    }
    throw .locked(path: path, holder: Self.holder(lock))
  }

  /// Makes a new directory and takes its lock: at `path` or, if that name is taken, at `path-2`, `path-3` and so on.
  ///
  /// So runs that begin in the same second have a directory each.
  public static func makeNew(_ path: String) throws(RunDirectoryError) -> RunDirectory {
    var name = path
    do {
      try createDirectories(parentDirectory(of: path))
      var number = 1
      while !(try writing(name, try makeDirectory(name))) {
        number += 1
        name = "\(path)-\(number)"
      }
    } catch {
      throw .unwritable(error)
    }
    return try RunDirectory(name)
  }

  /// Throws ``RunDirectoryError/lockLost(path:)`` if the file `lock` is no longer the one that this process holds.
  /// Another job may have made and locked a new one, and two jobs would write here.
  ///
  /// If the directory itself is gone or cannot be read, the next write reports it.
  public func requireLock() throws(RunDirectoryError) {
    do {
      let path = file("lock")
      if try lock.isNamed(path) || !isDirectory(self.path) { return }
    } catch {
      return
    }
    throw .lockLost(path: path)
  }

  /// The path of a file of this name in the directory.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The one line of the lock file. It is empty for the moment between the holder's locking and its writing.
  private static func holder(_ lock: borrowing OpenFile) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    do {
      let count = try lock.read(into: &bytes, count: bytes.count, at: 0)
      let line = bytes[..<count].prefix { $0 >= 0x20 && $0 < 0x7F }
      if !line.isEmpty { return String(decoding: line, as: UTF8.self) }
    } catch {}
    return "which has not written its name yet"
  }
}
