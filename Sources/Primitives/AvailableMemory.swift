import Glibc
import Synchronization

/// The bytes that this process may still take: what the machine has free or can free, swap included, or what the limit
/// on the process's address space (`ulimit -v`) leaves, if that is less. `Int.max` if the system does not tell.
public var availableMemory: Int {
  let memory = number(after: "MemAvailable:", in: "/proc/meminfo")
  let swap = number(after: "SwapFree:", in: "/proc/meminfo") ?? 0
  return min(memory.map { ($0 + swap) * 1024 } ?? .max, availableAddressSpace)
}

/// Ends the process, with a line, if memory for a ``Buffer`` cannot be had. A program sets its own, which tells its
/// other ranks.
public let endingWithoutMemory = Mutex<@Sendable (String) -> Never> { line in
  let bytes = Array("lockstep: \(line)\n".utf8)
  _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  _exit(EX_SOFTWARE)
}

/// Ends the process because `byteCount` bytes cannot be had. No caller could go on, and memory that was free when it
/// was looked at (``availableMemory``) has been taken since.
func endWithoutMemory(_ byteCount: Int) -> Never {
  let line =
    "\(megabytes(Double(byteCount))) of memory cannot be had, \(megabytes(Double(availableMemory))) are left; raise the limit "
    + "(ulimit -v), end other programs, or take a smaller model or batch"
  let end = endingWithoutMemory.withLock { $0 }
  end(line)
}

/// The bytes that a limit on the process's address space leaves; `Int.max` without one.
public var availableAddressSpace: Int {
  var limit = rlimit()
  guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt(Int.max),
    let used = number(after: "VmSize:", in: "/proc/self/status")
  else { return .max }
  return max(0, Int(limit.rlim_cur) - used * 1024)
}

/// The number behind `name` in the file at `path`, such as `MemAvailable:   12345 kB`; nil if there is none.
private func number(after name: String, in path: String) -> Int? {
  guard let file = unsafe fopen(path, "re") else { return nil }
  defer { unsafe fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while unsafe fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Between name and number there are blanks in the one file and a tab in the other.
    if text.hasPrefix(name) { return text.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } }
  }
  return nil
}

/// `bytes` as a user reads them: `13812 MB`, rounded up.
public func megabytes(_ bytes: Double) -> String { "\(Int(min(bytes / 1e6, 1e15).rounded(.up))) MB" }
