import FoundationEssentials
import Glibc

/// Facts about this process and its host, from the kernel.
public enum ProcessFacts {
  /// The seconds since the process was started, to a hundredth, with loading and linking; 0 if unknown.
  public static var secondsSinceStart: Double {
    // Field 22 of /proc/self/stat is the start in clock ticks after boot; the name in field 2 may hold blanks and brackets.
    guard let stat = text("/proc/self/stat"), let end = stat.lastIndex(of: ")"),
      let uptime = text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) })
    else { return 0 }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 20, let ticks = Double(fields[20]) else { return 0 }
    return max(0, uptime - ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// The most memory that the process has had resident, in bytes; 0 if unknown.
  public static var peakResidentBytes: Int {
    // Such as `VmHWM:     12345 kB`.
    (field("VmHWM", of: "/proc/self/status")?.split(separator: " ").first.flatMap { Int($0) } ?? 0) * 1024
  }

  /// The host's name.
  public static var hostName: String {
    text("/proc/sys/kernel/hostname")?.split(separator: "\n").first.map(String.init) ?? "localhost"
  }

  /// The processors that this process may run on, such as `0-3,8`: those that mpirun bound it to.
  public static var allowedProcessors: String { field("Cpus_allowed_list", of: "/proc/self/status") ?? "unknown" }

  /// The processor's name.
  public static var processorModel: String { field("model name", of: "/proc/cpuinfo") ?? "unknown processor" }

  /// The instruction sets of `required` (as the kernel names them) that this processor lacks.
  public static func missingFeatures(of required: [String]) -> [String] {
    // Only x86 lists `flags`; elsewhere the program was compiled for the architecture's baseline.
    guard let flags = field("flags", of: "/proc/cpuinfo") else { return [] }
    let present = Set(flags.split(separator: " ").map(String.init))
    return required.filter { !present.contains($0) }
  }

  /// Whether there is a process of this number that has not ended. One that has may stay in /proc until its parent asks for it.
  package static func isAlive(_ process: Int) -> Bool {
    // Its name, in parentheses, may hold anything; the state is behind it.
    guard let line = text("/proc/\(process)/stat"), let nameEnd = line.lastIndex(of: ")") else { return false }
    return !["Z", "X"].contains(line[nameEnd...].dropFirst(2).prefix(1))
  }

  /// The text behind `name:` on its first line of a file; nil if there is none.
  private static func field(_ name: String, of path: String) -> String? {
    let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimming { $0 == " " || $0 == "\t" } }
  }

  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Substring {
  /// The text without the characters at both ends for which `isDropped` holds.
  fileprivate func trimming(_ isDropped: (Character) -> Bool) -> String {
    let head = drop(while: isDropped)
    return String(head[..<(head.lastIndex { !isDropped($0) }.map { head.index(after: $0) } ?? head.startIndex)])
  }
}
