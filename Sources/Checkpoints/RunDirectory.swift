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
    do { try createDirectories(path) } catch { throw .unwritable(error) }
    do {
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
        try lock.write(Array("process \(processNumber()) on \(hostName())\n".utf8))
        return
      }
    } catch {
      throw .unwritable(FileWriteError(path: lockPath, error))
    }
    throw .locked(path: path, holder: Self.holder(lock))
  }

  /// Makes a directory that was not there and takes its lock: at `path` or, where that name is taken, at `path-2`, `path-3` and so on.
  ///
  /// Runs that begin in the same second so have a directory each.
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

  /// Throws where the file `lock` is no longer the one that this process holds: whoever finds none takes a new one, and two jobs would
  /// write here. A directory that is itself gone, or cannot be looked at, is for the next write to report.
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

  /// The lock file's one line; it is empty for the moment between the holder's locking and its writing.
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
