import Foundation
import Lockstep
import Testing

struct EnergyMeterTests {
  /// Counters as the kernel shows them, in a directory of the test's.
  private struct Counters: ~Copyable {
    let path = NSTemporaryDirectory() + "energy-\(UUID().uuidString)"

    func write(_ zone: String, _ file: String, _ text: String) throws {
      try FileManager.default.createDirectory(atPath: "\(path)/\(zone)", withIntermediateDirectories: true)
      try Data("\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(path)/\(zone)/\(file)"))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  @Test func processorsAreAddedOnce() throws {
    let counters = Counters()
    for (zone, name, start) in [
      ("intel-rapl:0", "package-0", "1000000"), ("intel-rapl:1", "package-1", "90000000"),
      ("intel-rapl:0:0", "core", "5"),
      ("intel-rapl:2", "psys", "7"), ("intel-rapl", "", "9"),
    ] {
      try counters.write(zone, "name", name)
      try counters.write(zone, "energy_uj", start)
      try counters.write(zone, "max_energy_range_uj", "100000000")
    }
    let meter = EnergyMeter(directory: counters.path)
    #expect(meter.joules == 0)
    try counters.write("intel-rapl:0", "energy_uj", "3500000")
    // This one began at 0 again: 10 J to its end, and 2 J.
    try counters.write("intel-rapl:1", "energy_uj", "2000000")
    try counters.write("intel-rapl:0:0", "energy_uj", "99999999")
    #expect(meter.joules == 14.5)
  }

  @Test func whatCannotBeReadIsNotZero() throws {
    #expect(EnergyMeter(directory: "/nonexistent").joules == nil)
    let counters = Counters()
    try counters.write("intel-rapl:0", "name", "package-0")
    #expect(EnergyMeter(directory: counters.path).joules == nil)
    try counters.write("intel-rapl:0", "energy_uj", "none")
    #expect(EnergyMeter(directory: counters.path).joules == nil)
    try counters.write("intel-rapl:0", "energy_uj", "12")
    let meter = EnergyMeter(directory: counters.path)
    try FileManager.default.removeItem(atPath: "\(counters.path)/intel-rapl:0/energy_uj")
    #expect(meter.joules == nil)
  }
}
