import Glibc

/// The mpirun that started this process. It must end after its ranks, but if a rank dies while it connects, mpirun may
/// never hear of it and wait for ever, deaf to signals and to what the other ranks say.
struct Launcher {
  private let process: pid_t
  /// Its start time, which tells it from a later process of the same number.
  private let began: String

  /// nil if `process` cannot be read in /proc, or is no mpirun: a shell or Slurm ends by itself.
  init?(_ process: pid_t) {
    guard let file = unsafe fopen("/proc/\(process)/stat", "re") else { return nil }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    guard unsafe fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    // The name, in parentheses, may hold blanks. The state behind it is the third field, the start the twenty-second.
    guard let nameEnd = text.lastIndex(of: ")"), let nameStart = text.firstIndex(of: "(") else { return nil }
    let (name, fields) = (text[nameStart...].dropFirst(), text[nameEnd...].split(separator: " "))
    guard ["mpirun", "mpiexec", "orterun"].contains(where: name.hasPrefix), fields.count > 20 else { return nil }
    self.process = process
    began = String(fields[20])
  }

  /// Starts a process that kills the launcher once that has had no ranks for 5 s, not counting time in which the
  /// launcher is stopped. It outlives this process, and ends with the launcher or after a minute.
  func endWithoutRanks() { start(input: nil, saying: "") }

  /// Does the same if this process ends before ``StartGuard/release()`` is called, which is while it connects. mpirun
  /// may have killed all other ranks by then, so nobody else is left to end it. Then a line says so, on mpirun's own
  /// standard error, for what the ranks said is lost.
  func guardStart() -> StartGuard? {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    start(
      input: ends[0],
      saying: "lockstep: a rank was killed or has exited at the start, and mpirun, which did not hear of it, does not "
        + "end: ending it; run again")
    close(ends[0])
    return StartGuard(descriptor: ends[1])
  }

  /// - Parameters:
  ///   - input: what is waited for first: a line ends the process, the end of the input lets it begin. nil for nothing.
  ///   - line: what is said where the launcher is killed; empty for nothing.
  ///
  /// Each rank that died has such a process, and all of them see the launcher without ranks at one time. The one that has
  /// locked a file of the launcher kills it and speaks; it keeps the lock until the launcher is dead, for a second at most. Where there is no
  /// `flock`, each of them may speak.
  private func start(input: Int32?, saying line: String) {
    let script = """
      fields() { { read -r line <"/proc/$1/stat"; } 2>/dev/null || line=') gone'; line=${line##*) }; }
      [ -z "$3" ] || ! read -r line || exit 0
      empty=0 looks=0
      while [ "$looks" -lt 600 ] && [ "$empty" -lt 50 ]; do
        looks=$((looks + 1)) empty=$((empty + 1))
        for child in $(cat "/proc/$1/task/"*/children); do
          fields "$child"
          case $line in Z* | X* | gone) ;; *) empty=0 ;; esac
        done
        fields "$1"
        case $line in T*) empty=0 ;; esac
        began=$(set -- $line; echo "${20}")
        [ "$began" = "$2" ] || exit 0
        sleep 0.1
      done
      [ "$empty" -ge 50 ] || exit 0
      exec 9<"/proc/$1/stat"
      flock -n 9 2>/dev/null
      [ $? != 1 ] && kill -STOP "$1" || exit 0
      [ -z "$3" ] || printf '%s\\n' "$3" >>"/proc/$1/fd/2"
      kill -KILL "$1"
      for look in 1 2 3 4 5 6 7 8 9 10; do
        fields "$1"
        case $line in Z* | X* | gone) break ;; esac
        sleep 0.1
      done
      """
    var attributes = posix_spawnattr_t()
    var files = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawnattr_init(&attributes)
    unsafe posix_spawn_file_actions_init(&files)
    defer {
      unsafe posix_spawnattr_destroy(&attributes)
      unsafe posix_spawn_file_actions_destroy(&files)
    }
    // A group and streams of its own, because mpirun kills a rank's process group, and a reader of the output waits
    // until all have closed it.
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    for descriptor in 0...2 as ClosedRange<Int32> {
      unsafe posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0)
    }
    if let input { unsafe posix_spawn_file_actions_adddup2(&files, input, 0) }
    let words = ["sh", "-c", script, "sh", "\(process)", began, line]
    var arguments = unsafe words.map { unsafe strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
    var identifier = pid_t()
    // If it cannot be started, whoever started the launcher must end it.
    _ = unsafe posix_spawn(&identifier, "/bin/sh", &files, &attributes, &arguments, environ)
    for index in words.indices { unsafe free(arguments[index]) }
  }
}

/// A process that sees to it that mpirun ends, for as long as this one connects.
struct StartGuard: Sendable {
  fileprivate let descriptor: Int32

  /// Ends it: mpirun knows this process now, and will hear of its end.
  func release() {
    _ = unsafe "joined\n".withCString { unsafe write(descriptor, $0, 7) }
    close(descriptor)
  }
}
