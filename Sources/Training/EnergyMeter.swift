import FoundationEssentials

/// The energy that the processors of this host have used, from the kernel's power capping counters (RAPL:
/// Documentation/power/powercap/powercap.rst).
///
/// It is that of whole processors, with all that runs on them. Reading it takes rights that a user often lacks.
package struct EnergyMeter {
  /// A counter of one processor, and where it stood.
  private struct Counter {
    var path: String
    var start: UInt64
    /// The largest reading, after which it begins at 0 again.
    var most: UInt64
  }

  private let counters: [Counter]

  /// A meter that starts at 0 now. `directory` is where the kernel shows the counters.
  package init(directory: String = "/sys/class/powercap") {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    // `intel-rapl:0` is a processor, also of AMD's; `intel-rapl:0:0` a part of it; `intel-rapl` no counter.
    counters = names.filter { $0.split(separator: ":").count == 2 }.sorted().compactMap { name in
      let path = "\(directory)/\(name)"
      // Other zones than whole processors, such as `psys`, would count twice.
      guard Self.text("\(path)/name")?.hasPrefix("package") == true, let start = Self.number("\(path)/energy_uj") else {
        return nil
      }
      return Counter(path: path, start: start, most: Self.number("\(path)/max_energy_range_uj") ?? .max)
    }
  }

  /// The joules used since the start; nil if the kernel tells none. A counter that began at 0 again counts as if once.
  package var joules: Double? {
    guard !counters.isEmpty else { return nil }
    var sum = 0.0
    for counter in counters {
      guard let now = Self.number("\(counter.path)/energy_uj") else { return nil }
      sum +=
        now >= counter.start ? Double(now - counter.start) : Double(counter.most) - Double(counter.start) + Double(now)
    }
    return sum / 1e6
  }

  private static func number(_ path: String) -> UInt64? { text(path).flatMap { UInt64($0) } }

  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map {
      String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
  }
}
