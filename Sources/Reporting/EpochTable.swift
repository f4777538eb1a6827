import Console
import Training

/// The lines of `metrics.csv`. No name or number needs quotes (RFC 4180).
extension EpochFigures {
  /// The names of the columns.
  static var csvHeader: String { CodingKeys.allCases.map(\.rawValue).joined(separator: ",") }

  /// The epoch's line.
  var csvRow: String { CodingKeys.allCases.map { self[$0].map(plain) ?? "" }.joined(separator: ",") }
}
