import Glibc

/// The mpirun that started this process. It must end after its ranks, but if a rank dies while it connects, mpirun
/// never hears of it and waits for ever.
struct Launcher {
  private let process: pid_t
  /// Its start time, which tells it from a later process of the same number.
  private let began: String

  /// nil if `process` cannot be read in /proc.
  init?(_ process: pid_t) {
    guard let file = unsafe fopen("/proc/\(process)/stat", "re") else { return nil }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    guard unsafe fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    // The name, in parentheses, may hold blanks. The state behind it is the third field, the start the twenty-second.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 20 else { return nil }
    self.process = process
    began = String(fields[20])
  }

  /// Starts a process that kills the launcher once that has had no ranks for 5 s, not counting time in which the
  /// launcher is stopped. It outlives this process, and ends with the launcher or after a minute.
  func endWithoutRanks() {
    let script = """
      fields() { { read -r line <"/proc/$1/stat"; } 2>/dev/null || line=') gone'; line=${line##*) }; }
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
      [ "$empty" -lt 50 ] || kill -KILL "$1"
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
    let words = ["sh", "-c", script, "sh", "\(process)", began]
    var arguments = unsafe words.map { unsafe strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
    var identifier = pid_t()
    // If it cannot be started, whoever started the launcher must end it.
    _ = unsafe posix_spawn(&identifier, "/bin/sh", &files, &attributes, &arguments, environ)
    for index in words.indices { unsafe free(arguments[index]) }
  }
}
