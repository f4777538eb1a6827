import FoundationEssentials
import Tensors

/// The form of the lines on standard error.
public enum LogFormat: String, Sendable, CaseIterable {
  /// `lockstep: ` and a text.
  case text
  /// A JSON object with `time`, `level`, `event` and more.
  case json
}

/// How much a line on standard error matters.
package enum LogLevel: String, Sendable { case info, warning, error }

/// A line of a log as a JSON object, with the present time in UTC (ISO 8601, to the millisecond). Members without a value are
/// left out.
func logLine(_ level: LogLevel, _ event: String, _ members: [(String, JSONValue?)]) -> String {
  let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  let head = [
    JSONValue.Member("time", .string(time)), .init("level", .string(level.rawValue)), .init("event", .string(event)),
  ]
  return JSONValue.object(head + members.compactMap { name, value in value.map { .init(name, $0) } }).description
}
