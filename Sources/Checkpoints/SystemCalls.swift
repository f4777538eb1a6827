import Glibc

// The fence: each POSIX call of this room is made here and nowhere else, and throws its name and errno if it fails.

/// The longest path that the system takes, in bytes, the zero at its end included.
let systemPathLimit = Int(PATH_MAX)

/// The C library's text for `code`: "No space left on device".
func systemErrorText(_ code: Int32) -> String {
  if code == systemNotARegularFileError { return "Not a regular file" }
  // strerror keeps its text in thread-local memory since glibc 2.32.
  return unsafe String(cString: strerror(code))
}

/// Calls `body` again as long as a signal interrupts it. A result of -1 is an error.
private func calling(
  _ call: FileWriteError.Operation, _ body: () -> Int
) throws(SystemCallError) -> Int {
  while true {
    let result = body()
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw SystemCallError(call: call, code: code) }
  }
}

/// An open regular file or directory, closed when it is destroyed.
struct OpenFile: ~Copyable {
  enum Mode {
    /// Reading only.
    case read
    /// Writing, from an empty file.
    case replace
    /// Reading and writing a file that may exist already.
    case update
    /// Writing behind the content of a file that exists, which can be read.
    case append
    /// A directory, to be synchronized.
    case directory
  }

  private let descriptor: Int32

  init(_ path: String, _ mode: Mode) throws(SystemCallError) {
    let flags =
      switch mode {
      case .read: O_RDONLY
      // A link left under a name of ours must not lead the write elsewhere.
      case .replace: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
      case .update: O_RDWR | O_CREAT | O_NOFOLLOW
      case .append: O_RDWR | O_APPEND | O_NOFOLLOW
      case .directory: O_RDONLY | O_DIRECTORY
      }
    let kind = if case .directory = mode { S_IFDIR } else { S_IFREG }
    // Without O_NONBLOCK, opening a named pipe would wait for its other end for ever.
    descriptor = try Self.opened(path, flags | O_CLOEXEC | O_NONBLOCK, kind: kind)
  }

  /// The descriptor of the file of this kind at `path`.
  private static func opened(_ path: String, _ flags: Int32, kind: mode_t) throws(SystemCallError) -> Int32 {
    do throws(SystemCallError) {
      let descriptor = Int32(try calling(.open) { unsafe Int(open(path, flags, 0o666)) })
      do throws(SystemCallError) {
        if try status(of: descriptor).st_mode & S_IFMT == kind { return descriptor }
        // As the system reports a pipe without a reader, and a socket.
        throw SystemCallError(call: .open, code: ENXIO)
      } catch {
        _ = Glibc.close(descriptor)
        throw error
      }
    } catch {
      throw error.code == ENXIO ? SystemCallError(call: .open, code: systemNotARegularFileError) : error
    }
  }

  deinit { _ = Glibc.close(descriptor) }

  /// Closes the file. Throws errors that only closing shows, such as a full quota on a network file system.
  consuming func close() throws(SystemCallError) {
    let descriptor = self.descriptor
    discard self
    // Linux releases the descriptor even if close is interrupted: it must not be closed again.
    if Glibc.close(descriptor) == -1, errno != EINTR { throw SystemCallError(call: .close, code: errno) }
  }

  private static func status(of descriptor: Int32) throws(SystemCallError) -> stat {
    var status = stat()
    _ = try calling(.open) { unsafe Int(fstat(descriptor, &status)) }
    return status
  }

  /// The size in bytes.
  func byteCount() throws(SystemCallError) -> Int { Int(try Self.status(of: descriptor).st_size) }

  /// Whether `path` still leads to this file. Its name may have been removed, or given to another file.
  func isNamed(_ path: String) throws(SystemCallError) -> Bool {
    let mine = try Self.status(of: descriptor)
    var other = stat()
    do {
      _ = try calling(.open) { unsafe Int(lstat(path, &other)) }
      return other.st_dev == mine.st_dev && other.st_ino == mine.st_ino
    } catch {
      if error.code == systemNoSuchFileError { return false }
      throw error
    }
  }

  /// Writes all of `bytes` at the file's position, in as many calls as it takes.
  func write(_ bytes: RawSpan) throws(SystemCallError) {
    var written = 0
    while written < bytes.byteCount {
      let rest = bytes.extracting(written..<bytes.byteCount)
      let count = try calling(.write) {
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      }
      // A write that takes nothing and reports nothing would be repeated for ever.
      if count == 0 { throw SystemCallError(call: .write, code: EIO) }
      written += count
    }
  }

  /// Writes all of `bytes` at the file's position, in as many calls as it takes.
  func write(_ bytes: [UInt8]) throws(SystemCallError) {
    // Unsafe in general for a span of padded elements, whose padding it would show; bytes have none.
    try write(unsafe bytes.span.bytes)
  }

  /// Reads `count` bytes from `offset` of the file into the front of `bytes`. Returns how many it read: fewer only at
  /// the file's end.
  func read(into bytes: inout [UInt8], count: Int, at offset: Int) throws(SystemCallError) -> Int {
    precondition(count <= bytes.count, "\(count) bytes into \(bytes.count)")
    var done = 0
    while done < count {
      let start = done
      let got = try calling(.read) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
          let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<count])
          return unsafe pread(descriptor, rest.baseAddress, rest.count, offset + start)
        }
      }
      if got == 0 { break }
      done += got
    }
    return done
  }

  /// Waits until the file's bytes are on the medium. Must not be repeated after a failure: the kernel may have dropped
  /// the pages that it could not write, and a second call would succeed without them.
  func synchronize() throws(SystemCallError) {
    _ = try calling(.synchronize) { Int(fsync(descriptor)) }
  }

  /// Waits until the file's bytes are on the medium. Throws if they are not `byteCount`: a file system may have taken
  /// fewer than it reported.
  func synchronize(holding byteCount: Int) throws(SystemCallError) {
    try synchronize()
    if try self.byteCount() != byteCount { throw SystemCallError(call: .write, code: EIO) }
  }

  /// Waits until the directory's entries are on the medium.
  func synchronizeDirectory() throws(SystemCallError) {
    do {
      _ = try calling(.synchronizeDirectory) { Int(fsync(descriptor)) }
    } catch {
      // EINVAL: a file system on which directories cannot be synchronized, because it has nothing to synchronize.
      if error.code != EINVAL { throw error }
    }
  }

  /// Cuts the file to `byteCount` bytes.
  func truncate(to byteCount: Int) throws(SystemCallError) {
    _ = try calling(.write) { Int(ftruncate(descriptor, byteCount)) }
  }

  /// Takes the exclusive lock of this open file; false if another process holds it. The kernel frees it when the last
  /// descriptor is closed, also if the process is killed.
  func lock() throws(SystemCallError) -> Bool {
    do {
      _ = try calling(.lock) { Int(flock(descriptor, LOCK_EX | LOCK_NB)) }
      return true
    } catch {
      if error.code == EWOULDBLOCK { return false }
      throw error
    }
  }
}

/// Renames a file. A file that has the new name is replaced.
func renameFile(_ old: String, to new: String) throws(SystemCallError) {
  _ = try calling(.rename) { unsafe Int(rename(old, new)) }
}

/// Removes a file's name.
func removeFile(_ path: String) throws(SystemCallError) {
  _ = try calling(.remove) { unsafe Int(unlink(path)) }
}

/// Creates a directory; false if the name exists already.
func makeDirectory(_ path: String) throws(SystemCallError) -> Bool {
  do {
    _ = try calling(.createDirectory) { unsafe Int(mkdir(path, 0o777)) }
    return true
  } catch {
    if error.code == EEXIST { return false }
    throw error
  }
}

/// Whether `path` is a directory.
func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The names in a directory, in no order; empty if the directory does not exist.
func namesInDirectory(_ path: String) throws(SystemCallError) -> [String] {
  var opened = unsafe opendir(path)
  while unsafe opened == nil, errno == EINTR { unsafe opened = opendir(path) }
  guard let directory = unsafe opened else {
    if errno == ENOENT { return [] }
    throw SystemCallError(call: .list, code: errno)
  }
  defer { unsafe closedir(directory) }
  var names: [String] = []
  while true {
    // readdir returns nil both at the end and on an error; only errno tells them apart.
    errno = 0
    guard let entry = unsafe readdir(directory) else { break }
    names.append(
      unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  if errno != 0 { throw SystemCallError(call: .list, code: errno) }
  return names
}

/// Ignores the signal of a file that has reached the size limit, so that the write fails with EFBIG instead.
func ignoreFileSizeSignal() { _ = signal(SIGXFSZ, SIG_IGN) }

/// The number of this process.
package func processNumber() -> Int { Int(getpid()) }

/// The name of this machine; "unknown" if the system does not say.
func hostName() -> String {
  var names = utsname()
  guard unsafe uname(&names) == 0 else { return "unknown" }
  return unsafe withUnsafeBytes(of: &names.nodename) { bytes in
    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension [UInt8] {
  /// Calls `body` with the bytes, as `Buffer.withBytes` does.
  func withBytes(_ body: (RawSpan) -> Void) {
    // As in `OpenFile.write`: bytes have no padding.
    body(unsafe span.bytes)
  }
}
