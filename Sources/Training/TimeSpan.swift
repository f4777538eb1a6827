/// A length of time, as flags take it: `--max-time`, `--stall-timeout`.
public struct TimeSpan: Sendable, Hashable, CustomStringConvertible {
  private static let units = [("h", 3600.0), ("min", 60), ("s", 1)]

  /// The length.
  public let duration: Duration

  /// A span of this length.
  public init(_ duration: Duration) { self.duration = duration }

  /// Reads `2h`, `90min`, `30s`, and Slurm's `HH:MM:SS` and `D-HH:MM:SS`; nil for anything else, for zero, and for more than a year.
  public init?(_ text: String) {
    guard let seconds = text.contains(":") ? Self.clock(text) : Self.quantity(text), seconds > 0, seconds <= 366 * 86400
    else { return nil }
    duration = .seconds(seconds)
  }

  private static func quantity(_ text: String) -> Double? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let count = Double(number), let unit = units.first(where: { $0.0 == text.dropFirst(number.count) }) else {
      return nil
    }
    return count * unit.1
  }

  private static func clock(_ text: String) -> Double? {
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let clock = parts[parts.count - 1].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3 else { return nil }
    var seconds = 0.0
    for (number, unit) in zip(clock + parts.dropLast(), [3600.0, 60, 1, 86400]) {
      guard !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Double(number) else {
        return nil
      }
      seconds += count * unit
    }
    return seconds
  }

  /// The text that ``init(_:)`` reads, in the largest unit of which the span is a whole number.
  public var description: String {
    let seconds = duration.seconds
    let (unit, length) = Self.units.first { seconds.remainder(dividingBy: $0.1) == 0 } ?? ("s", 1)
    let count = seconds / length
    return (Int(exactly: count).map(String.init) ?? "\(count)") + unit
  }
}
