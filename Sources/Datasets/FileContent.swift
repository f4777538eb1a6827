import Glibc
import Primitives

// The fence: each POSIX call of this room is made here and nowhere else.

/// The kind of thing at a path.
enum FileKind: Equatable {
  /// A regular file, with its size in bytes.
  case regular(Int)
  case directory
  /// A pipe, a device or a socket.
  case other
  /// Nothing: the file or a directory of its path does not exist.
  case absent
  /// A symbolic link to something that does not exist.
  case danglingLink
  /// Unknown, because the system gives this error.
  case unknown(reason: String)

  /// The kind of `path`, links followed. Opens nothing.
  init(at path: String) {
    var status = stat()
    if unsafe stat(path, &status) == 0 {
      self.init(status)
    } else if errno != ENOENT && errno != ENOTDIR {
      self = .unknown(reason: systemErrorText(errno))
    } else {
      self = unsafe lstat(path, &status) == 0 ? .danglingLink : .absent
    }
  }

  fileprivate init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular(Int(status.st_size))
    case S_IFDIR: self = .directory
    default: self = .other
    }
  }

  /// The reason why this cannot be read as a file; nil for a regular file, and if nothing is there.
  var obstacle: String? {
    switch self {
    case .regular, .absent: nil
    case .directory: "it is a directory"
    case .other: "not a regular file"
    case .danglingLink: "a symbolic link to a file that is not there"
    case .unknown(let reason): reason
    }
  }
}

/// The whole file at `path`, copied into memory, so that later changes of the file change nothing here. Throws if it is
/// missing, is no regular file, cannot be read, or does not fit in memory.
func fileContent(_ path: String) throws(IDXError.Cause) -> Buffer<UInt8> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
  let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else {
    if errno == ENOENT || errno == ENOTDIR { throw .missing }
    throw .unreadable(reason: systemErrorText(errno))
  }
  defer { close(descriptor) }
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(reason: systemErrorText(errno)) }
  let kind = FileKind(status)
  guard case .regular(let byteCount) = kind else { throw .unreadable(reason: kind.obstacle ?? "not a regular file") }
  let content: Buffer<UInt8> = try memory(byteCount)
  var done = 0
  while done < byteCount {
    let count = unsafe read(descriptor, content.base + done, byteCount - done)
    // The file has shrunk since its size was asked for.
    if count == 0 { break }
    if count > 0 {
      done += count
    } else if errno != EINTR {
      throw .unreadable(reason: systemErrorText(errno))
    }
  }
  return content.prefix(done)
}

/// The names in the directory at `path`, in the order of their bytes; empty if it cannot be listed. Names that are not
/// printable ASCII are left out.
func namesInDirectory(_ path: String) -> [String] {
  guard let directory = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(directory) }
  var names: [[UInt8]] = []
  while let entry = unsafe readdir(directory) {
    let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
    if name.allSatisfy({ (0x21...0x7E).contains($0) }) { names.append(name) }
  }
  return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
}

private func systemErrorText(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
