import FoundationEssentials
import Glibc

/// What the kernel knows of this process.
public enum ProcessFacts {
  /// The seconds since the process was started, to a hundredth: what a user waits, loading and linking included.
  public static var secondsSinceStart: Double {
    // Field 22 of /proc/self/stat is the start in clock ticks after boot; the name in field 2 may hold blanks and brackets.
    guard let stat = text("/proc/self/stat"), let end = stat.lastIndex(of: ")"),
      let uptime = text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) })
    else { return 0 }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 20, let ticks = Double(fields[20]) else { return 0 }
    return max(0, uptime - ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// The most memory that the process has had resident, in bytes.
  public static var peakResidentBytes: Int {
    let line = text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  /// The host's name.
  public static var hostName: String {
    text("/proc/sys/kernel/hostname")?.split(separator: "\n").first.map(String.init) ?? "localhost"
  }

  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
