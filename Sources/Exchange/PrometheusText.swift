/// Metrics in Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), each a number with the same
/// labels.
public struct PrometheusText: Sendable {
  /// The type of a metric.
  public enum Kind: String, Sendable {
    /// A number that only grows, but for a new start. Its name ends with `_total`.
    case counter
    /// A number that may go up and down.
    case gauge
  }

  /// The text so far.
  public private(set) var text = ""
  private let labels: String

  /// A text without metrics. `labels` are names that fit the format, and values of any characters.
  public init(labels: [(name: String, value: String)]) {
    let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
    self.labels = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
  }

  /// Adds the metric `name` with one sample. `help` says what it is. Without a `value` nothing is added.
  public mutating func add(_ name: String, _ kind: Kind = .gauge, help: String, _ value: Double?) {
    guard let value else { return }
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    text += "\(name)\(labels) \(Self.number(value))\n"
  }

  private static func number(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
  }

  /// `text` with backslashes and line feeds escaped, and double quotes where `quotes` says so: in a label's value, not in a help.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
